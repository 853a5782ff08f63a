//! Completion scripts and manual pages name every command and flag there is.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::tenterhook::{Finished, command};

/// The commands that the help names, with those below them.
fn commands() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(path) = open.pop() {
        let mut line = path.clone();
        line.push("--help".into());
        let help = Finished::of(command(&line).output().unwrap())
            .with_status(0)
            .stdout;
        let below = help.split("Commands:\n").nth(1).unwrap_or_default();
        for row in below.lines().take_while(|row| row.starts_with("  ")) {
            let name = row.split_whitespace().next().unwrap_or_default();
            if row.starts_with("   ") || name.is_empty() || name == "help" {
                continue;
            }
            let mut deeper = path.clone();
            deeper.push(name.into());
            open.push(deeper);
        }
        found.push(path);
    }
    found
}

/// The long flags that the help of a command names.
fn flags(path: &[String]) -> BTreeSet<String> {
    let help = command(path).arg("--help").output().unwrap().stdout;
    String::from_utf8(help)
        .unwrap()
        .lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with('-'))
        .flat_map(|line| {
            let words = line.split([' ', ',']);
            let flags = words.filter(|word| word.starts_with("--"));
            flags.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

fn script(shell: &str) -> String {
    let result = Finished::of(command(["completion", shell]).output().unwrap());
    result.with_status(0).stdout
}

#[test]
fn every_command_and_flag_is_completed_in_every_shell() {
    let commands = commands();
    assert!(commands.len() > 20, "{commands:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = script(shell);
        for path in &commands {
            for name in path {
                assert!(script.contains(name.as_str()), "{shell}: {path:?}");
            }
            for flag in flags(path) {
                let name = flag.trim_start_matches('-');
                assert!(script.contains(name), "{shell}: {path:?} {flag}");
            }
        }
    }
}

#[test]
fn hook_points_are_completed_by_name() {
    for shell in ["bash", "zsh"] {
        let script = script(shell);
        for name in ["PreFormatDisk", "snapshot.pre"] {
            assert!(script.contains(name), "{shell}: {name}");
        }
    }
}

#[test]
fn bash_can_read_its_script() {
    let mut bash = Command::new("bash")
        .arg("-n")
        .stdin(Stdio::piped())
        .spawn()
        .expect("bash is there to read the script");
    let mut stdin = bash.stdin.take().unwrap();
    stdin.write_all(script("bash").as_bytes()).unwrap();
    drop(stdin);
    assert!(bash.wait().unwrap().success());
}

#[test]
fn another_shell_is_refused_with_the_supported_ones() {
    let result = Finished::of(command(["completion", "tcsh"]).output().unwrap());
    result
        .with_status(2)
        .with_stderr("bash, elvish, fish, powershell, zsh");
}

#[test]
fn every_command_has_a_manual_page_with_all_its_flags() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let result = Finished::of(command(["man"]).arg(&pages).output().unwrap());
    result.with_status(0);
    for path in commands() {
        let name: Vec<_> = std::iter::once("tenterhook".to_owned())
            .chain(path.clone())
            .collect();
        let file = pages.join(format!("{}.1", name.join("-")));
        let page = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        well_formed(&page);
        // A hyphen in a page is written as `\-`.
        let page = page.replace("\\-", "-");
        for flag in flags(&path) {
            assert!(page.contains(&flag), "{path:?} {flag}");
        }
    }
}

#[test]
fn the_main_page_is_printed_and_names_every_command() {
    let page = Finished::of(command(["man"]).output().unwrap())
        .with_status(0)
        .stdout;
    well_formed(&page);
    for path in commands().iter().filter(|path| path.len() == 1) {
        let name = path[0].replace('-', "\\-");
        assert!(page.contains(&format!("tenterhook\\-{name}")), "{name}");
    }
}

/// Fails unless a page has its title and sections, and each line that asks for
/// something asks for what every reader of pages knows.
#[track_caller]
fn well_formed(page: &str) {
    const REQUESTS: [&str; 14] = [
        ".TH", ".SH", ".SS", ".TP", ".IP", ".PP", ".P", ".B", ".I", ".br", ".ie", ".el", ".RS",
        ".RE",
    ];
    assert!(page.lines().any(|line| line.starts_with(".TH ")));
    for section in [".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION"] {
        assert!(page.contains(section), "{section}");
    }
    for line in page.lines().filter(|line| line.starts_with('.')) {
        let request = line.split_whitespace().next().unwrap_or_default();
        assert!(REQUESTS.contains(&request), "{line}");
    }
}
