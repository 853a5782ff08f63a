//! `tenterhook test`: a folder of events, and what a hook is expected to make of them.
//!
//! Every event runs in the sandbox as `tenterhook run` would run it, with the
//! arguments, variables and limits of `tenterhook.toml`, a clock that stands still
//! and a fixed seed: what comes out is the same in every run.

mod case;
mod compare;
mod expect;
mod page;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use tenterhook_engine::{Engine, Kind, Program};

use self::case::Tried;
use crate::project::Project;
use crate::spinner::Spinner;
use crate::table::{Form, print};
use crate::{code_cache, command, paint};

/// Runs a project on its sample events and compares what comes out with what is expected.
///
/// `tests/NAME.event.json` is a whole event, `tests/NAME.expect.json` what is
/// expected of it: `status` (0 unless it says otherwise), and as far as they are
/// there `verdict` (equal as a whole), `stdout`, `stderr`, `logs` (log lines that come
/// in this order, each with at least these members), `max_fuel` and
/// `max_memory_bytes`. Exit status: 0 when all came out as expected, 1 when not.
#[derive(Debug, Args)]
pub(crate) struct Raw {
    /// The project's folder, unless it is this one; then names of tests, unless
    /// all shall run.
    #[arg(value_name = "DIR|NAME")]
    words: Vec<String>,
    /// Write what came out as what is expected from now on.
    #[arg(long)]
    update: bool,
    #[command(flatten)]
    form: Form,
}

/// Whether expectations are compared or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Compare,
    Update,
}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, log: Option<&str>) -> ExitCode {
    command::run_to(log, || match test(raw)?.iter().all(Tried::is_ok) {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::FAILURE),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn test(raw: &Raw) -> anyhow::Result<Vec<Tried>> {
    let (folder, names) = folder_and_names(&raw.words);
    let project = Project::open(folder)?;
    let cases = case::choose(case::find(&project)?, names)?;
    let mode = match raw.update {
        true => Mode::Update,
        false => Mode::Compare,
    };
    let (engine, program) = load(&project).await?;
    let width = cases.iter().map(|case| case.name.chars().count()).max();
    let paint = paint::stdout();
    let mut tried = Vec::new();
    for case in cases {
        let one = case.run(&project, &engine, &program, mode).await?;
        if !raw.form.is_json() {
            print(&page::line(&one, width.unwrap_or(0), paint))?;
        }
        tried.push(one);
    }
    if raw.form.is_json() {
        let failed = tried.iter().filter(|one| !one.is_ok()).count();
        let cases: Vec<_> = tried.iter().map(Tried::json).collect();
        let passed = tried.len() - failed;
        let answer = json!({"passed": passed, "failed": failed, "tests": cases});
        print(&format!("{answer}\n"))?;
    } else {
        print(&page::summary(&tried, paint))?;
    }
    Ok(tried)
}

/// The first word is a folder if there is one of that name.
fn folder_and_names(words: &[String]) -> (&Path, &[String]) {
    match words.split_first() {
        Some((first, names)) if Path::new(first).is_dir() => (Path::new(first), names),
        _ => (Path::new("."), words),
    }
}

async fn load(project: &Project) -> anyhow::Result<(Engine, Program)> {
    let bytes = project.read_program()?;
    let engine = code_cache::start_engine()?;
    let spinner = Spinner::start("compiling");
    let loaded = engine.load(Kind::detect(&bytes), &bytes).await;
    drop(spinner);
    let program = loaded.with_context(|| format!("cannot run {}", project.program().display()))?;
    Ok((engine, program))
}
