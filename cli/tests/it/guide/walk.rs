//! Does what a page asks for, in one shell, in an empty folder.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use super::book::{Page, Step, agrees};

/// Most time for one page, in seconds: a page that builds a project takes a minute.
const PATIENCE: u32 = 900;

/// The name that a page gives the server that it starts in a separate terminal.
const SERVE: &str = "tenterhook serve";

/// Follows a page; fails at the first command that fails or prints something else.
pub(super) fn follow(page: &Page) {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("work");
    let results = outside.path().join("told");
    fs::create_dir(&folder).unwrap();
    fs::create_dir(&results).unwrap();
    let script = outside.path().join("page.sh");
    fs::write(&script, shell_script(page, &results)).unwrap();
    let result = Process::new("timeout")
        .args(["--kill-after=10", &PATIENCE.to_string(), "bash"])
        .arg(&script)
        .current_dir(&folder)
        .env_clear()
        .envs(environment(outside.path()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    for (number, command) in page.commands().enumerate() {
        let read = |what: &str| fs::read_to_string(results.join(format!("{number}.{what}")));
        let printed = read("out").unwrap_or_default();
        assert_eq!(
            read("status").as_deref().map(str::trim).ok(),
            Some("0"),
            "{}: `{}` failed:\n{printed}{}",
            page.name,
            command.line,
            String::from_utf8_lossy(&result.stderr)
        );
        assert!(
            agrees(&command.prints, &printed),
            "{}: `{}` printed:\n{printed}\ninstead of:\n{}",
            page.name,
            command.line,
            command.prints
        );
    }
}

/// What the reader has: the binary on the path, a home, a compiler, no colours. The
/// server takes a free port, as the usual one may be taken.
#[expect(
    clippy::disallowed_methods,
    reason = "the page's commands need the compiler that runs this test"
)]
fn environment(home: &Path) -> Vec<(String, String)> {
    let binary = Path::new(env!("CARGO_BIN_EXE_tenterhook"));
    let own = std::env::var("PATH").unwrap();
    let folder = binary.parent().unwrap().display();
    let real_home = std::env::var("HOME").unwrap();
    let or = |name: &str, folder: &str| {
        std::env::var(name).unwrap_or_else(|_| format!("{real_home}/{folder}"))
    };
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join("state");
    [
        ("PATH", format!("{folder}:{own}")),
        ("HOME", home.display().to_string()),
        ("CARGO_HOME", or("CARGO_HOME", ".cargo")),
        ("RUSTUP_HOME", or("RUSTUP_HOME", ".rustup")),
        ("XDG_CACHE_HOME", cache.display().to_string()),
        ("XDG_STATE_HOME", state.display().to_string()),
        // What a project needs was fetched for this workspace.
        ("CARGO_NET_OFFLINE", "true".into()),
        ("CARGO_TERM_COLOR", "never".into()),
        ("TENTERHOOK_LISTEN", "127.0.0.1:0".into()),
        ("LC_ALL", "C.UTF-8".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// All steps as one script, so that a folder that was entered stays entered. It
/// stops at the first command that fails.
fn shell_script(page: &Page, results: &Path) -> String {
    let results = results.display();
    let mut script = String::from("trap 'kill $(jobs -p) 2> /dev/null; wait' EXIT\n");
    let mut number = 0;
    for step in &page.steps {
        let results = format!("{results}/{number}");
        match step {
            Step::Write { file, text } => write!(
                script,
                "mkdir -p \"$(dirname '{file}')\"\ncat > '{file}' <<'END-OF-FILE'\n{text}END-OF-FILE\n"
            ),
            Step::Run(command) if command.line.starts_with(SERVE) => {
                number += 1;
                let line = &command.line;
                write!(
                    script,
                    "{line} > '{results}.out' 2>&1 &\n\
                     listens() {{ grep -q '^listening on' '{results}.out'; }}\n\
                     for try in $(seq 600); do listens && break; sleep 0.1; done\n\
                     listens; echo $? > '{results}.status'\n"
                )
            }
            Step::Run(command) => {
                number += 1;
                let line = &command.line;
                write!(
                    script,
                    "{{\n{line}\n}} > '{results}.out' 2>&1 < /dev/null\n\
                     status=$?; echo $status > '{results}.status'; [ $status = 0 ] || exit 0\n"
                )
            }
        }
        .expect("a string can be written");
    }
    script
}
