//! Every script of `tests/shell/oracle` against the answers of a real bash.
//!
//! Beside each script stand the standard output and the exit status that bash
//! 5.2 gave in an empty folder with empty input. A difference that we know of is listed
//! in `different.txt` and must really be one, so that the list cannot rot.

use crate::harness::{Answer, run_within};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tenterhook_shell::Job;

/// Time after which a script that waits is taken for one that never ends.
const LONGEST: Duration = Duration::from_secs(10);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/shell/oracle")
}

/// Differs where memory is limited, as in the sandbox.
const NEEDS_MEMORY: &str = "real/65-dd-large-block.sh";

/// Scripts that end differently than in bash; `docs/shell.md` says why.
fn known_differences() -> HashSet<String> {
    let names = std::fs::read_to_string(folder().join("different.txt")).unwrap();
    let differs = |name: &&str| *name != NEEDS_MEMORY;
    names.lines().filter(differs).map(str::to_owned).collect()
}

/// The scripts of the folder and of `real`, which holds what public hooks do.
fn scripts() -> Vec<PathBuf> {
    let mut scripts: Vec<PathBuf> = [folder(), folder().join("real")]
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

fn answer(script: &Path) -> Option<Answer> {
    let mut job = Job::new(std::fs::read(script).unwrap());
    job.name = script.file_name().unwrap().to_string_lossy().into_owned();
    job.environment = vec![("LC_ALL".into(), "C.UTF-8".into())];
    run_within(job, LONGEST)
}

fn beside(script: &Path, ending: &str) -> Vec<u8> {
    let name = script.file_name().unwrap().to_string_lossy();
    std::fs::read(script.with_file_name(format!("{name}{ending}"))).unwrap()
}

#[test]
fn scripts_end_as_in_bash_except_where_it_is_documented() {
    let mut wrong = Vec::new();
    let mut known_differences = known_differences();
    let scripts = scripts();
    assert!(scripts.len() >= 112, "only {} scripts found", scripts.len());
    for script in scripts {
        let name = script.strip_prefix(folder()).unwrap();
        let name = name.to_string_lossy().into_owned();
        let known = known_differences.remove(&name);
        let Some(answer) = answer(&script) else {
            if !known {
                wrong.push(format!("{name}: differs; it does not end"));
            }
            continue;
        };
        let status = String::from_utf8(beside(&script, ".status")).unwrap();
        let same = answer.stdout == beside(&script, ".out")
            && answer.ended.status.to_string() == status.trim();
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
    assert!(known_differences.is_empty(), "{known_differences:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n----\n"));
}
