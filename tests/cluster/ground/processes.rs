//! Processes and pages: what a test starts ends, what it reads is what was written.

use std::process::{Command, Stdio};

use crate::harness::page::Page;
use crate::harness::process::Daemon;
use crate::harness::{folder, until, until_equal};

tests![a_page_is_read_to_the_last_escape, nothing_that_a_test_started_outlives_this_process,];

fn a_page_is_read_to_the_last_escape() {
    let page = Page::parse("# TYPE a gauge\na{b=\"x\\\"}\\\\,\\n\",c=\"\"} 1.5\na 2\nab{b=\"1\"} NaN\n");
    assert_eq!(page.value("a", &[("b", "x\"}\\,\n"), ("c", "")]), Some(1.5));
    assert_eq!(page.value("a", &[]), Some(2.0));
    assert_eq!(page.sum("a", &[]), 3.5);
    assert_eq!(page.family("ab").len(), 1);
}

fn nothing_that_a_test_started_outlives_this_process() {
    // This program again, as a process that is killed while a process of its own is running.
    const CHILD: &str = "CELEMETRY_TEST_ABANDONS";
    let log = folder::fresh("abandoned").join("log");
    if let Some(file) = std::env::var_os(CHILD) {
        let daemon = Daemon::start("sleeper", Command::new("sleep").arg("600"), &log);
        std::fs::write(file, daemon.id().to_string()).unwrap();
        std::thread::park();
    }
    let file = log.with_extension("id");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ground::processes::nothing_that_a_test_started_outlives_this_process"])
        .env(CHILD, &file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let id = until("the sleeper", || {
        let text = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
        text.parse::<i32>().map_err(|error| error.to_string())
    });
    let lives = || rustix::process::test_kill_process(rustix::process::Pid::from_raw(id).unwrap()).is_ok();
    assert!(lives());
    child.kill().unwrap();
    child.wait().unwrap();
    until_equal("the end of the sleeper", &false, lives);
}
