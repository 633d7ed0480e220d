//! A control plane of our own: etcd and kube-apiserver, with users, RBAC and an audit log. Ready in a few seconds.
//!
//! In: the binaries, `crds/`. Out: clients, kubeconfigs, what each user requested; and what can go wrong with it, on demand.
//! There is no controller manager and no kubelet: nobody starts Pods, finishes namespaces or collects garbage.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::authority::{Authority, Files};
use super::binaries::{self, Binaries};
use super::client::Client;
use super::{folder, kind, root};

pub(crate) mod audit;
pub(crate) mod faults;
mod server;
mod store;
pub(crate) mod users;

pub(crate) use users::{Rule, User, rule};

use server::Server;
use store::Store;

/// A running control plane. Stopped when it goes.
pub(crate) struct Plane {
    binaries: Binaries,
    authority: Authority,
    admin: Client,
    next_user: AtomicUsize,
    next_namespace: AtomicUsize,
    server: Mutex<Server>,
    store: Mutex<Store>,
    folder: PathBuf,
}

/// The one that tests share. Not a `LazyLock`, so that it can be stopped at the end.
static SHARED: Mutex<Option<Arc<Plane>>> = Mutex::new(None);

/// Stops the shared one, if it was started.
pub(super) fn stop_shared() {
    let shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner).take();
    drop(shared);
}

/// The objects of this checkout's `crds/`.
pub(crate) fn our_definitions() -> Vec<Value> {
    let files = fs::read_dir(root().join("crds")).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| serde_saphyr::from_str(&fs::read_to_string(file).unwrap()).unwrap()).collect()
}

// === impl Plane ===

impl Plane {
    /// The control plane that all tests of a run share, with our kinds installed. Started by the first who asks.
    pub(crate) fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.get_or_insert_with(|| Arc::new(Self::own())).clone()
    }

    /// A control plane of one's own, with our kinds installed: for tests that break it, or count what is on it.
    pub(crate) fn own() -> Self {
        Self::own_with(&[])
    }

    /// A control plane of one's own with further flags for kube-apiserver.
    pub(crate) fn own_with(flags: &[&str]) -> Self {
        let plane = Self::bare(flags);
        let definitions = our_definitions();
        // All first, then the waits, so that they are served together.
        definitions.iter().for_each(|definition| drop(plane.admin.apply(definition)));
        definitions.iter().for_each(|definition| kind::install(&plane.admin, definition));
        plane
    }

    /// A control plane of one's own without our kinds: for tests that install them.
    pub(crate) fn bare(flags: &[&str]) -> Self {
        let binaries = binaries::control_plane();
        let folder = folder::fresh("plane");
        let authority = Authority::new();
        let tls = authority.identity(&["127.0.0.1", "localhost"]).write(&folder, "server");
        users::write(&folder);
        let store = Store::start(&binaries.etcd, &folder);
        let files = ServerFiles { tls, authority: authority.write(&folder) };
        let server = Server::start(&binaries.kube_apiserver, &folder, &files, store.client(), flags);
        let admin = Client::new(server.address(), users::ADMIN_TOKEN, authority.client());
        admin.wait_ready();
        Self {
            binaries,
            authority,
            admin,
            next_user: AtomicUsize::new(1),
            next_namespace: AtomicUsize::new(1),
            server: Mutex::new(server),
            store: Mutex::new(store),
            folder,
        }
    }

    /// The administrator.
    pub(crate) fn client(&self) -> &Client {
        &self.admin
    }

    /// Somebody else.
    pub(crate) fn client_of(&self, user: &User) -> Client {
        self.admin.with_token(&user.token())
    }

    /// Where the API server listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server().address()
    }

    /// What signed the API server's certificate.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// A new namespace whose name nobody else has: `hint-7`.
    #[track_caller]
    pub(crate) fn namespace(&self, hint: &str) -> String {
        self.namespace_with(hint, &json!({}))
    }

    /// A new namespace with labels.
    #[track_caller]
    pub(crate) fn namespace_with(&self, hint: &str, labels: &Value) -> String {
        let name = format!("{hint}-{}", self.next_namespace.fetch_add(1, Ordering::Relaxed));
        let metadata = json!({"name": name, "labels": labels});
        self.admin.create(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}));
        name
    }

    /// A kubeconfig with the user's token, and everything else inline.
    pub(crate) fn kubeconfig(&self, user: &User) -> PathBuf {
        self.kubeconfig_at(user, self.address())
    }

    /// The same for another address: that of a proxy before the API server.
    pub(crate) fn kubeconfig_at(&self, user: &User, address: SocketAddr) -> PathBuf {
        let authority = BASE64_STANDARD.encode(self.authority.pem());
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {
                "server": format!("https://{address}"), "certificate-authority-data": authority,
            }}],
            "users": [{"name": user.name, "user": {"token": user.token()}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": user.name}}],
        });
        let path = self.folder.join(format!("{}-{}.kubeconfig", user.name, address.port()));
        // Somebody may be reading what was written for the same user before.
        let fresh = path.with_extension("fresh");
        fs::write(&fresh, serde_json::to_string_pretty(&config).unwrap()).unwrap();
        fs::rename(&fresh, &path).unwrap();
        path
    }

    /// `kubectl` as that user, to be given arguments.
    pub(crate) fn kubectl(&self, user: &User) -> Command {
        let mut command = Command::new(&self.binaries.kubectl);
        command.arg("--kubeconfig").arg(self.kubeconfig(user));
        // What it caches about the server goes with the plane.
        command.arg("--cache-dir").arg(self.folder.join("kubectl"));
        command
    }

    /// Every request that this user has made, in the order in which they began to be answered. Watches are in it as soon
    /// as they are open; other requests when they are over.
    pub(crate) fn requests(&self, user: &User) -> Vec<audit::Request> {
        audit::read(&self.folder).into_iter().filter(|request| request.user == user.name).collect()
    }

    /// A folder that lives as long as the run.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn server(&self) -> std::sync::MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> std::sync::MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        self.server().stop();
        self.store().stop();
        // The data is large and tells nothing. Logs stay until the end of the run.
        self.store().remove();
    }
}

/// What the server needs of the authority.
struct ServerFiles {
    tls: Files,
    authority: PathBuf,
}

/// Long enough for a start on a loaded machine.
const START: Duration = Duration::from_secs(120);

/// How often a start is tried again when another process took the port.
const ATTEMPTS: usize = 3;
