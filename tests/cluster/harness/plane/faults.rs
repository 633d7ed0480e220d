//! What can go wrong with a control plane, on demand. Only for one's own: others would wonder.
//!
//! In: nothing. Out: a server killed, frozen, started again; history forgotten or set back. Each returns when it is so.

use std::path::PathBuf;

use super::Plane;
use crate::harness::folder;
use crate::harness::process::Daemon;

/// The state of a plane at one moment.
pub(crate) struct Backup {
    folder: PathBuf,
}

// === impl Plane ===

impl Plane {
    /// Kills the API server (SIGKILL). Its port refuses connections.
    pub(crate) fn kill_server(&self) {
        self.server().stop();
    }

    /// Starts the API server again on its port and waits until it is ready, with a cold watch cache.
    pub(crate) fn start_server(&self) {
        self.server().run();
        self.client().wait_ready();
    }

    /// Freezes the API server (SIGSTOP): connections stay, nothing is answered.
    pub(crate) fn pause_server(&self) {
        self.server().daemon().into_iter().for_each(Daemon::pause);
    }

    /// Lets it go on (SIGCONT).
    pub(crate) fn resume_server(&self) {
        self.server().daemon().into_iter().for_each(Daemon::resume);
    }

    /// Forgets all history but the newest revision. A server that starts after this answers 410 to who wants to go on from
    /// before; a running one still has what its watch cache holds.
    pub(crate) fn compact(&self) -> i64 {
        self.store().compact()
    }

    /// Saves everything. The store is down for a moment, as for `etcdctl snapshot` it would not be; open watches stay.
    pub(crate) fn back_up(&self) -> Backup {
        let backup = Backup { folder: folder::fresh("backup") };
        let mut store = self.store();
        store.stop();
        store.save(&backup.folder);
        store.run();
        drop(store);
        self.client().wait_ready();
        backup
    }

    /// Sets everything back to what was saved, resource versions included, and starts the API server on that: what an
    /// administrator does who restores etcd and does not bump its revision.
    pub(crate) fn restore(&self, backup: &Backup) {
        self.kill_server();
        let mut store = self.store();
        store.stop();
        store.replace(&backup.folder);
        store.run();
        drop(store);
        self.start_server();
    }

    /// The last lines of the API server's log.
    pub(crate) fn server_log(&self) -> String {
        self.server().tail()
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        // An error leaves it to the next run.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
