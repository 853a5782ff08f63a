//! `run` on every script of `tests/shell/oracle`, against the answers of bash.
//!
//! The same scripts are checked natively in the shell's own tests; here they go
//! through the sandbox and the whole binary.

use std::path::{Path, PathBuf};

use crate::tenterhook::command;

/// Scripts that end differently than in bash, a line each; `docs/shell.md` says why. A
/// script listed here must really differ, so that the list cannot rot.
const KNOWN_DIFFERENCES: &str = include_str!("../../../tests/shell/oracle/different.txt");

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/shell/oracle");

#[test]
fn scripts_end_as_in_bash_except_where_it_is_documented() {
    let scripts = scripts();
    assert!(scripts.len() >= 112, "only {} scripts found", scripts.len());
    let wrong: Vec<String> = scripts
        .iter()
        .filter_map(|script| difference(script))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n----\n"));
}

fn scripts() -> Vec<PathBuf> {
    let real = format!("{FOLDER}/real");
    let mut scripts: Vec<PathBuf> = [FOLDER, &real]
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|end| end == "sh" || end == "bash")
        })
        .collect();
    scripts.sort();
    scripts
}

/// The differences from the list, if any.
fn difference(script: &Path) -> Option<String> {
    let name = script.strip_prefix(FOLDER).unwrap().to_str().unwrap();
    let beside = |ending: &str| std::fs::read(format!("{FOLDER}/{name}{ending}")).unwrap();
    // Some that differ wait for what never comes.
    let output = command(["run", "--timeout", "10s", "--env", "LC_ALL=C.UTF-8"])
        .arg(script)
        .output()
        .unwrap();
    let status = String::from_utf8(beside(".status")).unwrap();
    let same = output.stdout == beside(".out")
        && output.status.code().unwrap().to_string() == status.trim();
    let known = KNOWN_DIFFERENCES.lines().any(|known| known == name);
    (same == known).then(|| {
        format!(
            "{name}: {}; {} (bash: {})\nstdout:\n{}\nstderr:\n{}",
            if known {
                "no longer differs"
            } else {
                "differs"
            },
            output.status,
            status.trim(),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        )
    })
}
