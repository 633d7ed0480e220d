//! etcd, the store behind the API server.
//!
//! In: a binary and a folder. Out: a running etcd, its history cut or set back.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::port;
use super::super::process::Daemon;
use super::super::wait::until_within;
use super::{ATTEMPTS, START};

/// A running etcd.
pub(super) struct Store {
    binary: PathBuf,
    folder: PathBuf,
    client: SocketAddr,
    peer: SocketAddr,
    daemon: Option<Daemon>,
}

// === impl Store ===

impl Store {
    /// Starts with nothing in it.
    ///
    /// # Panics
    ///
    /// If it does not come up, with the end of its log.
    pub(super) fn start(binary: &Path, folder: &Path) -> Self {
        let (binary, folder) = (binary.to_owned(), folder.to_owned());
        let mut store = Self { binary, folder, client: port::free(), peer: port::free(), daemon: None };
        for _ in 1..ATTEMPTS {
            store.launch();
            if store.comes_up() {
                return store;
            }
            (store.client, store.peer) = (port::free(), port::free());
        }
        store.run();
        store
    }

    /// Starts it again on what it has.
    pub(super) fn run(&mut self) {
        self.launch();
        assert!(self.comes_up(), "etcd ended\n{}", self.daemon.as_ref().unwrap().tail());
    }

    fn launch(&mut self) {
        let (client, peer) = (format!("http://{}", self.client), format!("http://{}", self.peer));
        let mut command = Command::new(&self.binary);
        command.arg("--data-dir").arg(self.data()).args([
            "--unsafe-no-fsync",
            "--log-level=warn",
            &format!("--listen-client-urls={client}"),
            &format!("--advertise-client-urls={client}"),
            &format!("--listen-peer-urls={peer}"),
            &format!("--initial-advertise-peer-urls={peer}"),
            &format!("--initial-cluster=default={peer}"),
        ]);
        self.daemon = Some(Daemon::start("etcd", &mut command, &self.folder.join("etcd.log")));
    }

    /// Whether it becomes healthy, rather than ending.
    fn comes_up(&mut self) -> bool {
        let daemon = self.daemon.as_mut().unwrap();
        until_within(START, "etcd", || {
            if daemon.end().is_some() {
                return Ok(false);
            }
            match post(self.client, "/v3/maintenance/status", &json!({})) {
                Ok(_) => Ok(true),
                Err(error) => Err(format!("{error}\n{}", daemon.tail())),
            }
        })
    }

    /// Where it serves.
    pub(super) fn client(&self) -> SocketAddr {
        self.client
    }

    fn data(&self) -> PathBuf {
        self.folder.join("etcd")
    }

    /// Kills it. What it acknowledged is in the log that it replays when it runs again.
    pub(super) fn stop(&mut self) {
        self.daemon = None;
    }

    /// Removes the data of a stopped one.
    pub(super) fn remove(&self) {
        let _ = fs::remove_dir_all(self.data());
    }

    /// Forgets all revisions but the newest. Returns that.
    pub(super) fn compact(&self) -> i64 {
        let key = json!({"key": "AA==", "limit": 1});
        let range = post(self.client, "/v3/kv/range", &key).unwrap();
        let revision: i64 = range["header"]["revision"].as_str().unwrap().parse().unwrap();
        post(self.client, "/v3/kv/compaction", &json!({"revision": revision.to_string(), "physical": true}))
            .unwrap();
        revision
    }

    /// Copies the data of a stopped one.
    pub(super) fn save(&self, to: &Path) {
        copy(&self.data(), to);
    }

    /// Replaces the data of a stopped one.
    pub(super) fn replace(&self, from: &Path) {
        fs::remove_dir_all(self.data()).unwrap();
        copy(from, &self.data());
    }
}

/// One request to etcd's JSON gateway.
fn post(server: SocketAddr, path: &str, body: &Value) -> Result<Value, String> {
    let exchange = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let body = body.to_string();
        write!(
            stream,
            "POST {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = exchange().map_err(|error| error.to_string())?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    if head.split(' ').nth(1) != Some("200") {
        return Err(answer);
    }
    serde_json::from_str(body).map_err(|error| format!("{error}: {body}"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
