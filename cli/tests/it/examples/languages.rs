//! The examples in other languages pass their own tests.
//!
//! A compiler that is not there leaves its examples out, and the test says so. What
//! `TENTERHOOK_EXAMPLES` names, such as `c,zig`, is built whatever it takes and must
//! pass: that is how continuous integration skips nothing.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::root;
use crate::tenterhook::{Finished, command};

/// The languages: what their folders are called.
const LANGUAGES: [&str; 5] = ["c", "zig", "assemblyscript", "python", "javascript"];

/// The variable that names languages which must not be left out.
const DEMANDED: &str = "TENTERHOOK_EXAMPLES";

/// One build at a time: two of them would write the same files.
static BUILDING: Mutex<()> = Mutex::new(());

/// What `tenterhook test --json` said of a language's project.
pub(super) struct Tried {
    /// The folder in which the project was built.
    pub(super) folder: PathBuf,
    pub(super) result: Finished,
}

/// Builds a language's project and runs its tests, once for all who ask; `None` if its
/// compiler is not there.
pub(super) fn tried(language: &str) -> Option<&'static Tried> {
    static TRIED: [OnceLock<Option<Tried>>; LANGUAGES.len()] =
        [const { OnceLock::new() }; LANGUAGES.len()];
    let place = LANGUAGES.iter().position(|one| *one == language).unwrap();
    let test = || {
        let folder = built(language)?;
        let result = command(["test", "--json"]).arg(&folder).output().unwrap();
        let result = Finished::of(result);
        Some(Tried { folder, result })
    };
    TRIED[place].get_or_init(test).as_ref()
}

/// Builds a language's project unless its compiler is missing; returns its folder.
fn built(language: &str) -> Option<PathBuf> {
    let compiler = root(match language {
        "assemblyscript" | "javascript" => "target/toolchains/node_modules/ready",
        _ => "target/toolchains/venv/ready",
    });
    if !compiler.exists() && !demanded().iter().any(|one| one == language) {
        eprintln!("left out: the example in {language}; `make toolchains` installs its compiler");
        return None;
    }
    let _one = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    let made = Command::new("make")
        .arg("--no-print-directory")
        .arg(format!("example-{language}"))
        .current_dir(root(""))
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL")
        .output()
        .unwrap();
    Finished::of(made).with_status(0);
    Some(root("target/guests/examples").join(language))
}

/// The languages that must not be left out.
fn demanded() -> Vec<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test is told by whoever starts it"
    )]
    let list = std::env::var(DEMANDED).unwrap_or_default();
    let words = list.split([',', ' ']).filter(|word| !word.is_empty());
    words
        .map(|word| {
            assert!(
                LANGUAGES.contains(&word),
                "{DEMANDED} names {word}, which is none of {LANGUAGES:?}"
            );
            word.to_owned()
        })
        .collect()
}

fn passes_its_own_tests(language: &str) {
    if let Some(Tried { result, .. }) = tried(language) {
        assert_eq!(result.status, Some(0), "{}{}", result.stdout, result.stderr);
    }
}

#[test]
fn the_example_in_c_passes_its_own_tests() {
    passes_its_own_tests("c");
}

#[test]
fn the_example_in_zig_passes_its_own_tests() {
    passes_its_own_tests("zig");
}

#[test]
fn the_example_in_assemblyscript_passes_its_own_tests() {
    passes_its_own_tests("assemblyscript");
}

#[test]
fn the_example_in_python_passes_its_own_tests() {
    passes_its_own_tests("python");
}

#[test]
fn the_example_in_javascript_passes_its_own_tests() {
    passes_its_own_tests("javascript");
}
