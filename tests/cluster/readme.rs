//! The README's way to operate a cluster, word for word, on a control plane that has never heard of celemetry.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::harness::{Plane, folder, ignore, root, rule};

tests![the_operator_s_quick_start_ends_as_it_says];

fn the_operator_s_quick_start_ends_as_it_says() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (commands, promised) = (block(&readme, "sh operator"), block(&readme, "text operator"));
    for port in [8080, 8081] {
        if TcpListener::bind(("127.0.0.1", port)).is_err() {
            ignore(&format!("the README's quick start needs port {port}, which somebody else has here"));
        }
    }
    let plane = Plane::bare(&[]);
    let user = plane.user_with(&[rule("*", "*", "*")]);
    let tools = folder::fresh("tools");
    symlink(env!("CARGO_BIN_EXE_celemetry"), tools.join("celemetry")).unwrap();
    symlink(plane.kubectl(&user).get_program(), tools.join("kubectl")).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    // The operator goes on in the background, as it says; it ends with the shell.
    let log = tools.join("celemetry.log");
    let commands = commands.replace("2>celemetry.log", &format!("2>{}", log.display()));
    let script = format!("trap 'kill $(jobs -p)' EXIT\nset -euo pipefail\n{commands}");
    let output = Command::new("bash")
        .args(["-c", &script])
        .env("PATH", path)
        .env("KUBECONFIG", plane.kubeconfig(&user))
        .env("KUBECACHEDIR", tools.join("cache"))
        .current_dir(root())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let amiss = String::from_utf8_lossy(&output.stderr);
    let log = fs::read_to_string(&log).unwrap_or_default();
    assert!(output.status.success(), "{said}\n{amiss}\n{log}");
    assert!(said.trim_end().ends_with(promised.trim_end()), "{said}\n{amiss}\n{log}");
}

/// The lines of the README's block of this kind.
fn block(readme: &str, kind: &str) -> String {
    let (_, rest) = readme.split_once(&format!("```{kind}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}
