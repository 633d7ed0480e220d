//! The binary as a process: started, fed, asked, ended.
//!
//! Only processes that were started here are ended, by their own handle or id.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a test waits for something that happens at once on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program. Killed when it goes out of scope.
pub(crate) struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    stderr: Receiver<String>,
    address: Option<String>,
}

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_celemetry"));
    command.args(arguments).current_dir(root()).env("TERM", "dumb");
    command
}

/// Runs to the end with `input` on standard input.
pub(crate) fn output(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // A program that does not read its input to the end is not at fault here.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    })
}

/// Runs to the end, which must be `status`, and gives standard output and standard error.
pub(crate) fn ends(arguments: &[&str], input: &str, status: i32) -> (String, String) {
    let output = output(arguments, input.as_bytes());
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(status), "{arguments:?}\n--- stdout\n{out}\n--- stderr\n{err}");
    (out, err)
}

/// A file that lives as long as the test.
pub(crate) fn scratch(name: &str, text: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

// === impl Program ===

impl Program {
    /// Starts `celemetry run …` on a free port, with an open standard input.
    pub(crate) fn run(arguments: &[&str]) -> Self {
        Program::start("run", arguments)
    }

    /// The same for any command that serves.
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Self {
        let mut child = command(&[&[name, "--listen", "127.0.0.1:0"], arguments].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let (sender, stderr) = channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut program = Program { child, stdin, stderr, address: None };
        let serving = program.line("serving http://");
        let address = serving.trim_start_matches("serving http://").trim_end_matches("/metrics").to_owned();
        program.address = Some(address);
        program
    }

    /// Writes to standard input.
    pub(crate) fn write(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// Ends standard input.
    pub(crate) fn close(&mut self) {
        self.stdin = None;
    }

    /// Closes the reading end of standard output.
    pub(crate) fn close_stdout(&mut self) {
        drop(self.child.stdout.take());
    }

    /// Waits for a line of standard error that holds `part`.
    pub(crate) fn line(&mut self, part: &str) -> String {
        let mut seen = vec![];
        loop {
            match self.stderr.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => seen.push(line),
                Err(_) => panic!("no line with {part:?} on standard error, only {seen:#?}"),
            }
        }
    }

    /// What `GET path` answers: the status and the body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address.as_ref().unwrap()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// The sample lines of `/metrics`, without celemetry's own, sorted.
    pub(crate) fn samples(&self) -> Vec<String> {
        let (status, body) = self.get("/metrics");
        assert_eq!(status, 200);
        let sample = |line: &&str| !line.starts_with('#') && !line.starts_with("celemetry_");
        let mut samples: Vec<String> = body.lines().filter(sample).map(str::to_owned).collect();
        samples.sort();
        samples
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Waits for the end, which must be `status`, and gives standard output.
    pub(crate) fn ends(mut self, status: i32) -> String {
        let mut out = String::new();
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut out).unwrap();
        }
        let end = self.child.wait().unwrap();
        let err: Vec<String> = self.stderr.iter().collect();
        assert_eq!(end.code(), Some(status), "--- stdout\n{out}\n--- stderr\n{err:#?}");
        out
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
