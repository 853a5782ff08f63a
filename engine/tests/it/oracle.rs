//! The shell compared with bash: every recorded script prints what bash printed and exits
//! with the same status.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tenterhook_engine::{Limits, Outcome};

use crate::harness::Run;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/shell/oracle");

/// Scripts whose result differs from bash's, a line each. The reasons are in
/// `docs/shell.md`, and each must really differ.
const DIFFERENT: &str = include_str!("../../../tests/shell/oracle/different.txt");

/// Recorded scripts, without one that is only for the benchmarks.
const SCRIPTS: usize = 112;

/// Time for one script. Some that differ wait for what never comes.
const LONGEST: Duration = Duration::from_secs(10);

struct Recorded {
    name: String,
    script: PathBuf,
}

impl Recorded {
    fn all() -> Vec<Self> {
        let real = format!("{FOLDER}/real");
        let mut all: Vec<Self> = [FOLDER, &real]
            .iter()
            .flat_map(|folder| fs::read_dir(folder).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "sh" || extension == "bash")
            })
            .map(|script| Self {
                name: script
                    .strip_prefix(FOLDER)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned(),
                script,
            })
            .filter(|recorded| recorded.name != "bench-hook.sh")
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
        let run = Run::bytes(fs::read(&self.script).unwrap())
            .limits(|limits| {
                *limits = Limits {
                    fuel: 20_000_000_000,
                    wall: LONGEST,
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
async fn scripts_give_the_same_result_as_in_bash() {
    let all = Recorded::all();
    assert_eq!(all.len(), SCRIPTS);
    let mut wrong = Vec::new();
    for recorded in &all {
        let difference = recorded.difference().await;
        match (
            difference,
            DIFFERENT.lines().any(|name| name == recorded.name),
        ) {
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
