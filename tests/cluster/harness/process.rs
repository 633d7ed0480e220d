//! Processes that a test starts: logged to a file, signalled by id, and never left behind.
//!
//! In: a command. Out: its end, its log. A process is killed when its handle goes. Should this process be killed before
//! that, a shell that waits on a pipe from it notices, and kills what it was told of.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::wait::until_within;

/// A running process of ours.
pub(crate) struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
}

/// Reads `start ID` and `end ID` lines; when there are no more, kills what was started and not ended. It must outlive
/// this process, so it is deaf to what a terminal sends.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
ids=''
while read -r word id; do
  case $word in
    start) ids="$ids $id" ;;
    end) kept=''; for one in $ids; do [ "$one" = "$id" ] || kept="$kept $one"; done; ids=$kept ;;
  esac
done
for id in $ids; do kill -KILL "$id"; done
"#;

fn tell_watchdog(word: &str, id: u32) {
    static SHELL: OnceLock<Mutex<Child>> = OnceLock::new();
    let shell = SHELL.get_or_init(|| {
        let shell = Command::new("sh")
            .args(["-c", WATCHDOG])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        Mutex::new(shell)
    });
    let mut shell = shell.lock().unwrap();
    writeln!(shell.stdin.as_mut().expect("it is piped"), "{word} {id}").unwrap();
}

/// The last lines of a file.
pub(crate) fn tail(log: &Path) -> String {
    const LINES: usize = 40;
    let text = String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    format!("--- {}\n{}", log.display(), lines[lines.len().saturating_sub(LINES)..].join("\n"))
}

// === impl Daemon ===

impl Daemon {
    /// Starts `command` with its output appended to `log`, and nothing to read.
    pub(crate) fn start(name: &str, command: &mut Command, log: &Path) -> Self {
        Self::start_reading(name, command, log, Stdio::null())
    }

    /// Starts `command` with its output appended to `log`.
    pub(crate) fn start_reading(name: &str, command: &mut Command, log: &Path, input: Stdio) -> Self {
        let output = File::options().create(true).append(true).open(log).unwrap();
        let child = command
            .stdin(input)
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        tell_watchdog("start", child.id());
        Self { name: name.to_owned(), child, log: log.to_owned() }
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal. One that has ended gets none.
    pub(crate) fn signal(&mut self, signal: Signal) {
        if self.end().is_none() {
            let id = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
            kill_process(id, signal).unwrap();
        }
    }

    /// Freezes it (SIGSTOP), and waits until the last of its threads stands still.
    pub(crate) fn pause(&mut self) {
        self.signal(Signal::STOP);
        let id = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        // Only looks, and only for this: its end stays to be waited for. An error means that it has ended.
        let _ = waitid(WaitId::Pid(id), WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT);
    }

    /// Lets it go on (SIGCONT).
    pub(crate) fn resume(&mut self) {
        self.signal(Signal::CONT);
    }

    /// How it ended, if it has.
    pub(crate) fn end(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// If it does not end in time, with the end of its log.
    pub(crate) fn ends_within(&mut self, patience: Duration) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        until_within(patience, &what, || self.end().ok_or_else(|| tail(&self.log)))
    }

    /// Kills it and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        // Before the wait: as long as nobody has waited for it, no other process has its id.
        tell_watchdog("end", self.child.id());
        let _ = self.child.wait();
    }

    /// Everything that it wrote.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// The last lines that it wrote.
    pub(crate) fn tail(&self) -> String {
        tail(&self.log)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}
