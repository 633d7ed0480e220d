//! celemetry as a process: the operator, or any other command that serves `/metrics`.
//!
//! In: a kubeconfig, flags, environment. Out: what it serves, logs, and how it ends.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::page::Page;
use super::process::Daemon;
use super::sampling::Sampling;
use super::wait::PATIENCE;
use super::{folder, port, root, until};

/// A running celemetry. Killed when it goes.
pub(crate) struct Operator {
    daemon: Daemon,
    metrics: SocketAddr,
    health: SocketAddr,
}

/// One that is yet to be started.
pub(crate) struct Start {
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    input: Stdio,
    metrics: SocketAddr,
    health: SocketAddr,
}

/// What `/proc` says of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Memory that it holds, in bytes.
    pub(crate) resident: u64,
    /// The most memory that it has held, in bytes.
    pub(crate) peak: u64,
    /// Processor time that it has used, of all threads, user and system.
    pub(crate) cpu: Duration,
}

// === impl Start ===

impl Start {
    /// A further argument.
    pub(crate) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Further arguments.
    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(OsString::from));
        self
    }

    /// Without a flag that was given before and has no value.
    pub(crate) fn without(mut self, flag: &str) -> Self {
        self.arguments.retain(|argument| argument != flag);
        self
    }

    /// Another value for a flag that was given before.
    ///
    /// # Panics
    ///
    /// If it was not.
    pub(crate) fn instead(mut self, flag: &str, value: &str) -> Self {
        let at = self.arguments.iter().position(|argument| argument == flag);
        self.arguments[at.expect("a flag that was given") + 1] = value.into();
        self
    }

    /// A variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// What it reads on standard input; otherwise that is empty.
    pub(crate) fn input(mut self, input: impl Into<Stdio>) -> Self {
        self.input = input.into();
        self
    }

    /// Starts it. It need not be ready yet.
    pub(crate) fn start(self) -> Operator {
        let mut command = Command::new(env!("CARGO_BIN_EXE_celemetry"));
        // Nothing of the environment that tells a client where to connect to.
        for name in ["KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "HTTPS_PROXY"] {
            command.env_remove(name);
        }
        command.args(self.arguments).envs(self.environment).current_dir(root());
        let log = folder::fresh("celemetry").join("celemetry.log");
        let daemon = Daemon::start_reading("celemetry", &mut command, &log, self.input);
        Operator { daemon, metrics: self.metrics, health: self.health }
    }
}

// === impl Operator ===

impl Operator {
    /// `celemetry start` with this kubeconfig on free ports, for sinks on loopback, profile `native`.
    pub(crate) fn on(kubeconfig: &Path) -> Start {
        let (metrics, health) = (port::free(), port::free());
        let (metrics_flag, health_flag) = (metrics.to_string(), health.to_string());
        let start = Start { arguments: vec![], environment: vec![], input: Stdio::null(), metrics, health };
        start
            .args(&["start", "--allow-loopback-sinks", "--profile", "native"])
            .args(&["--metrics-bind-address", &metrics_flag, "--health-probe-bind-address", &health_flag])
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .env("OPERATOR_CONFIG_NAMESPACE", "default")
    }

    /// `celemetry run`, to be given its arguments, on a free port.
    pub(crate) fn run() -> Start {
        let listen = port::free();
        let start = Start {
            arguments: vec![],
            environment: vec![],
            input: Stdio::null(),
            metrics: listen,
            health: listen,
        };
        start.args(&["run", "--listen", &listen.to_string()])
    }

    /// What `/metrics` shows. Waits until it is served at all.
    #[track_caller]
    pub(crate) fn metrics(&self) -> Page {
        let (status, body) =
            until("/metrics", || get(self.metrics, "/metrics").map_err(|error| self.what(&error)));
        assert_eq!(status, 200, "{body}");
        Page::parse(&body)
    }

    /// Looks at these metrics on `/metrics` from now on.
    pub(crate) fn sample(&self, names: &[&str]) -> Sampling {
        let server = self.metrics;
        let look = move || {
            let (status, body) = get(server, "/metrics").unwrap();
            assert_eq!(status, 200, "{body}");
            Page::parse(&body)
        };
        Sampling::begin(look, names)
    }

    /// `/readyz`: status and body, if it is served.
    pub(crate) fn readyz(&self) -> Result<(u16, String), String> {
        get(self.health, "/readyz")
    }

    /// `/healthz`: status and body, if it is served.
    pub(crate) fn healthz(&self) -> Result<(u16, String), String> {
        get(self.health, "/healthz")
    }

    /// Waits until `/readyz` says 200.
    #[track_caller]
    pub(crate) fn wait_ready(&mut self) {
        until("celemetry's readiness", || {
            assert!(self.daemon.end().is_none(), "celemetry ended\n{}", self.daemon.tail());
            match self.readyz() {
                Ok((200, _)) => Ok(()),
                other => Err(self.what(&format!("{other:?}"))),
            }
        });
    }

    /// Waits until a metric on `/metrics` has exactly these series: `[("phase=\"Running\"", 2.0)]`.
    #[track_caller]
    pub(crate) fn wait_family(&self, name: &str, expected: &[(&str, f64)]) {
        let expected = expected.iter().map(|(labels, value)| ((*labels).to_owned(), *value)).collect();
        until(&format!("{name} on /metrics"), || {
            let family = self.metrics().family(name);
            if family == expected {
                Ok(())
            } else {
                Err(self.what(&format!("{family:#?} instead of {expected:#?}")))
            }
        });
    }

    /// Everything that it wrote on standard output and error.
    pub(crate) fn log(&self) -> String {
        self.daemon.log()
    }

    /// The last lines of that.
    pub(crate) fn tail(&self) -> String {
        self.daemon.tail()
    }

    /// SIGTERM, and waits for its end.
    #[track_caller]
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.daemon.signal(Signal::TERM);
        self.daemon.ends_within(PATIENCE)
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> ExitStatus {
        self.daemon.ends_within(PATIENCE)
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.daemon.kill();
    }

    /// SIGSTOP: it holds what it holds and does nothing.
    pub(crate) fn pause(&mut self) {
        self.daemon.pause();
    }

    /// SIGCONT.
    pub(crate) fn resume(&mut self) {
        self.daemon.resume();
    }

    /// What it uses. Only on Linux.
    pub(crate) fn usage(&self) -> Usage {
        usage(self.daemon.id())
    }

    fn what(&self, seen: &str) -> String {
        format!("{seen}\n{}", self.daemon.tail())
    }
}

/// What a process uses. Only on Linux.
pub(crate) fn usage(id: u32) -> Usage {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{id}/{file}")).unwrap();
    let pages: u64 = read("statm").split(' ').nth(1).unwrap().parse().unwrap();
    let stat = read("stat");
    // The name, in parentheses, may hold spaces.
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let status = read("status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    let peak: u64 = peak.map_or(0, |kilobytes| kilobytes.trim().parse().unwrap());
    let (page, tick) = (rustix::param::page_size() as u64, rustix::param::clock_ticks_per_second());
    let cpu = Duration::from_millis(ticks * 1000 / tick);
    Usage { resident: pages * page, peak: peak * 1024, cpu }
}

/// One GET: the status and the body.
fn get(server: SocketAddr, path: &str) -> Result<(u16, String), String> {
    let exchange = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = exchange().map_err(|error| error.to_string())?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("no answer: {answer:?}"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or_else(|| format!("no status: {head}"))?, body.to_owned()))
}
