//! kube-apiserver.
//!
//! In: a binary, keys, an etcd. Out: a server that is ready; one that is killed, stopped, started again on its port.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::port;
use super::super::process::Daemon;
use super::super::wait::until_within;
use super::{ATTEMPTS, START, ServerFiles, audit, users};

/// A kube-apiserver, running or not.
pub(super) struct Server {
    binary: PathBuf,
    folder: PathBuf,
    arguments: Vec<String>,
    address: SocketAddr,
    daemon: Option<Daemon>,
}

// === impl Server ===

impl Server {
    /// Starts on a free port.
    ///
    /// # Panics
    ///
    /// If it does not listen, with the end of its log.
    pub(super) fn start(
        binary: &Path,
        folder: &Path,
        files: &ServerFiles,
        etcd: SocketAddr,
        flags: &[&str],
    ) -> Self {
        let mut arguments = arguments(folder, files, etcd);
        arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let (binary, folder) = (binary.to_owned(), folder.to_owned());
        let mut server = Self { binary, folder, arguments, address: port::free(), daemon: None };
        for _ in 1..ATTEMPTS {
            server.launch();
            if server.listens() {
                return server;
            }
            server.address = port::free();
        }
        server.run();
        server
    }

    /// Starts it again where it was, and waits until it listens: not until it is ready.
    pub(super) fn run(&mut self) {
        self.launch();
        assert!(self.listens(), "kube-apiserver ended\n{}", self.daemon.as_ref().unwrap().tail());
    }

    fn launch(&mut self) {
        let mut command = Command::new(&self.binary);
        command.args(&self.arguments).arg(format!("--secure-port={}", self.address.port()));
        let log = self.folder.join("kube-apiserver.log");
        self.daemon = Some(Daemon::start("kube-apiserver", &mut command, &log));
    }

    fn listens(&mut self) -> bool {
        let daemon = self.daemon.as_mut().unwrap();
        until_within(START, "kube-apiserver", || {
            if daemon.end().is_some() {
                return Ok(false);
            }
            TcpStream::connect(self.address)
                .map(|_| true)
                .map_err(|error| format!("{error}\n{}", daemon.tail()))
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Kills it.
    pub(super) fn stop(&mut self) {
        self.daemon = None;
    }

    /// The process, if there is one.
    pub(super) fn daemon(&mut self) -> Option<&mut Daemon> {
        self.daemon.as_mut()
    }

    pub(super) fn tail(&self) -> String {
        super::super::process::tail(&self.folder.join("kube-apiserver.log"))
    }
}

fn arguments(folder: &Path, files: &ServerFiles, etcd: SocketAddr) -> Vec<String> {
    let service_accounts = rcgen::KeyPair::generate().unwrap();
    let (private, public) = (folder.join("sa.key"), folder.join("sa.pub"));
    std::fs::write(&private, service_accounts.serialize_pem()).unwrap();
    std::fs::write(&public, service_accounts.public_key_pem()).unwrap();
    let policy = folder.join("audit-policy.yaml");
    std::fs::write(&policy, audit::POLICY).unwrap();
    let of = |flag: &str, path: &Path| format!("--{flag}={}", path.display());
    let fixed = [
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        // A loopback address is no endpoint.
        "--endpoint-reconciler-type=none",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=RBAC",
        // Nobody creates the accounts that it asks for.
        "--disable-admission-plugins=ServiceAccount",
        "--allow-privileged=true",
        "--profiling=false",
    ];
    let mut arguments: Vec<String> = fixed.iter().map(|flag| (*flag).to_owned()).collect();
    arguments.extend([
        format!("--etcd-servers=http://{etcd}"),
        of("tls-cert-file", &files.tls.certificate),
        of("tls-private-key-file", &files.tls.key),
        of("client-ca-file", &files.authority),
        of("token-auth-file", &users::file(folder)),
        of("service-account-key-file", &public),
        of("service-account-signing-key-file", &private),
        of("audit-policy-file", &policy),
        of("audit-log-path", &audit::file(folder)),
    ]);
    arguments
}
