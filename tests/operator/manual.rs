//! Completions and the manual: from the same definitions as `--help`, so that neither is ever behind.

use std::process::Command;

use crate::program::{ends, scratch};

/// The commands that `--help` lists.
fn commands() -> Vec<String> {
    let (help, _) = ends(&["--help"], "", 0);
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.map(str::to_owned).collect()
}

#[test]
fn every_shell_completes_every_command() {
    let commands = commands();
    assert!(commands.len() >= 10, "{commands:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (script, err) = ends(&["completions", shell], "", 0);
        assert_eq!(err, "");
        for command in &commands {
            assert!(script.contains(command.as_str()), "{shell}: {command}");
        }
        assert!(script.contains("strict"), "{shell}");
    }
    let (_, err) = ends(&["completions", "csh"], "", 2);
    assert!(err.contains("possible values: bash, "), "{err}");
}

#[test]
fn bash_completes_with_it() {
    let script = scratch("completions.bash", &ends(&["completions", "bash"], "", 0).0);
    let complete = |words: &str, index: usize, word: &str| {
        let program = format!(
            "source {script}; COMP_WORDS=({words}); COMP_CWORD={index}; _celemetry celemetry {word} ''; echo ${{COMPREPLY[@]}}"
        );
        let output = Command::new("bash").args(["--norc", "-c", &program]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(complete("celemetry ch", 1, "ch"), "check\n");
    assert_eq!(complete("celemetry check --str", 2, "--str"), "--strict\n");
}

#[test]
fn every_command_has_a_page_with_its_examples() {
    let folder = format!("{}/man/man1", scratch("manual-folder", "") + ".d");
    let (out, err) = ends(&["man", "--out", &folder], "", 0);
    assert_eq!((out.as_str(), err.as_str()), ("", ""));
    let mut pages: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    let mut expected: Vec<String> = commands().iter().map(|name| format!("celemetry-{name}.1")).collect();
    expected.push("celemetry.1".to_owned());
    expected.sort();
    assert_eq!(pages, expected);
    for page in &pages {
        let text = std::fs::read_to_string(format!("{folder}/{page}")).unwrap();
        let name = page.trim_end_matches(".1");
        assert!(text.contains(&format!(".TH {name} 1")), "{page}: {text:.200}");
        assert!(text.contains("\n.SH EXAMPLES\n.nf\n") && text.contains("\n.fi\n"), "{page}");
        let command = name.strip_prefix("celemetry-");
        let (printed, _) = ends(&[&["man"][..], command.as_slice()].concat(), "", 0);
        assert_eq!(printed, text);
    }
}

#[test]
fn a_page_that_does_not_exist_is_wrong_usage_and_a_folder_that_cannot_be_written_an_error() {
    assert!(ends(&["man", "frobnicate"], "", 2).1.contains("there is no command 'frobnicate'"));
    let file = scratch("manual-file", "");
    assert!(ends(&["man", "--out", &format!("{file}/below")], "", 1).1.contains(&file));
}
