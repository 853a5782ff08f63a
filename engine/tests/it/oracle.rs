//! The shell compared with bash: every recorded script prints what bash printed and exits
//! with the same status.

use std::fs;
use std::path::{Path, PathBuf};

use tenterhook_engine::{Limits, Outcome};

use crate::harness::Run;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/shell/oracle");

/// Scripts whose result differs from bash's. The reason for each is in `docs/shell.md`, and
/// each must really differ.
const DIFFERENT: [&str; 2] = ["064-jq.sh", "082-deep-recursion.sh"];

/// Recorded scripts, without one that is only for the benchmarks.
const SCRIPTS: usize = 57;

struct Recorded {
    name: String,
    script: PathBuf,
}

impl Recorded {
    fn all() -> Vec<Self> {
        let mut all: Vec<Self> = fs::read_dir(FOLDER)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "sh" || extension == "bash")
            })
            .map(|script| Self {
                name: script.file_name().unwrap().to_string_lossy().into_owned(),
                script,
            })
            .filter(|recorded| recorded.name.starts_with(|c: char| c.is_ascii_digit()))
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    fn beside(&self, extension: &str) -> Vec<u8> {
        let mut path = self.script.clone().into_os_string();
        path.push(extension);
        fs::read(Path::new(&path)).unwrap()
    }

    /// Returns the engine's result, if it differs from bash's.
    async fn difference(&self) -> Option<String> {
        let text = fs::read_to_string(&self.script).unwrap();
        let run = Run::script(&text)
            .limits(|limits| {
                *limits = Limits {
                    fuel: 20_000_000_000,
                    ..Limits::default()
                }
            })
            .go()
            .await;
        let status = String::from_utf8(self.beside(".status")).unwrap();
        let expected = Outcome::Exited {
            status: status.trim().parse().unwrap(),
        };
        if run.outcome != expected {
            return Some(format!(
                "{} instead of {expected}; {}",
                run.outcome,
                run.errors()
            ));
        }
        let out = self.beside(".out");
        (run.stdout != out).then(|| {
            let (ours, theirs) = (
                String::from_utf8_lossy(&run.stdout),
                String::from_utf8_lossy(&out),
            );
            let line = ours.lines().zip(theirs.lines()).position(|(a, b)| a != b);
            format!("the output differs, first at line {line:?}")
        })
    }
}

#[tokio::test]
async fn scripts_answer_as_in_bash() {
    let all = Recorded::all();
    assert_eq!(all.len(), SCRIPTS);
    let mut wrong = Vec::new();
    for recorded in &all {
        let difference = recorded.difference().await;
        match (difference, DIFFERENT.contains(&recorded.name.as_str())) {
            (Some(difference), false) => wrong.push(format!("{}: {difference}", recorded.name)),
            (None, true) => wrong.push(format!(
                "{} answers as in bash; take it off the list",
                recorded.name
            )),
            _ => {}
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {SCRIPTS}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
