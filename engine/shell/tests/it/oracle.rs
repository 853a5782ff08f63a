//! Every script of `tests/shell/oracle` against the answers of a real bash.
//!
//! Beside each script stand the standard output and the exit status that bash
//! 5.2 gave in an empty folder with empty input. A difference that we know of is
//! listed here and must really be one, so that the list cannot rot.

use crate::harness::{Answer, run};
use std::path::{Path, PathBuf};
use tenterhook_shell::Job;

/// Scripts that end otherwise than in bash; `docs/shell.md` says why.
const KNOWN_DIFFERENCES: &[&str] = &["064-jq.sh", "082-deep-recursion.sh"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/shell/oracle")
}

fn scripts() -> Vec<PathBuf> {
    let mut scripts: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|end| end == "sh" || end == "bash")
        })
        .collect();
    scripts.sort();
    scripts
}

fn answer(script: &Path) -> Answer {
    let mut job = Job::new(std::fs::read(script).unwrap());
    job.name = script.file_name().unwrap().to_string_lossy().into_owned();
    job.environment = vec![("LC_ALL".into(), "C.UTF-8".into())];
    run(job)
}

fn beside(script: &Path, ending: &str) -> Vec<u8> {
    let name = script.file_name().unwrap().to_string_lossy();
    std::fs::read(script.with_file_name(format!("{name}{ending}"))).unwrap()
}

#[test]
fn scripts_end_as_in_bash_except_where_it_is_documented() {
    let mut wrong = Vec::new();
    let scripts = scripts();
    assert!(scripts.len() >= 57, "only {} scripts found", scripts.len());
    for script in scripts {
        let name = script.file_name().unwrap().to_string_lossy().into_owned();
        let answer = answer(&script);
        let status = String::from_utf8(beside(&script, ".status")).unwrap();
        let same = answer.stdout == beside(&script, ".out")
            && answer.ended.status.to_string() == status.trim();
        let known = KNOWN_DIFFERENCES.contains(&name.as_str());
        if same == known {
            wrong.push(format!(
                "{name}: {}; status {} (bash {})\nstdout:\n{}\nstderr:\n{}",
                if known {
                    "no longer differs"
                } else {
                    "differs"
                },
                answer.ended.status,
                status.trim(),
                String::from_utf8_lossy(&answer.stdout),
                answer.errors(),
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n----\n"));
}
