//! `tenterhook test`: runs a hook on a folder of events and compares the results with
//! expectations.
//!
//! Every event runs in the sandbox as `tenterhook run` would run it, with the arguments,
//! variables and limits of `tenterhook.toml`, a frozen clock and a fixed seed: the result
//! is the same in every run.

mod case;
mod compare;
mod exact;
mod expect;
mod page;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use tenterhook_engine::{Engine, GuestStack, Kind, Program};

use self::case::{CaseJson, CaseResult};
use crate::faults::Faults;
use crate::project::Project;
use crate::say::say;
use crate::spinner::Spinner;
use crate::stack_limit::StackLimitFlag;
use crate::table::{OutputFormat, print};
use crate::{code_cache, command, paint};

/// Runs a project on its sample events and compares the results with their expectations.
///
/// `tests/NAME.event.json` is a complete event, `tests/NAME.expect.json` its expectation:
/// `status` (default 0), and, where present, `verdict` (compared as a whole), `stdout`,
/// `stderr`, `logs` (log lines in this order, each with at least these members),
/// `max_fuel` and `max_memory_bytes`. Numbers are compared by their text: `1.10` is not `1.1`;
/// white space, the order of members and the escapes of strings do not matter. Exit status:
/// 0 if all results are as expected, 1 if not.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// The project's folder [default: the current one], then the names of tests
    /// [default: all].
    #[arg(value_name = "DIR|NAME")]
    words: Vec<String>,
    /// Record the results as the new expectations.
    #[arg(long)]
    update: bool,
    #[command(flatten)]
    stack: StackLimitFlag,
    #[command(flatten)]
    format: OutputFormat,
}

/// Whether expectations are compared or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Compare,
    Update,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &TestArgs, log: Option<&str>) -> ExitCode {
    let mut faults = Faults::default();
    let Some(stack) = args.stack.read(&mut faults) else {
        say(faults);
        return ExitCode::from(2);
    };
    command::run_to(log, || {
        match test(args, stack)?.iter().all(CaseResult::is_ok) {
            true => Ok(ExitCode::SUCCESS),
            false => Ok(ExitCode::FAILURE),
        }
    })
}

#[tokio::main(flavor = "current_thread")]
async fn test(args: &TestArgs, stack: GuestStack) -> anyhow::Result<Vec<CaseResult>> {
    let (folder, names) = folder_and_names(&args.words);
    let project = Project::open(folder)?;
    let cases = case::choose(case::find(&project)?, names)?;
    let mode = match args.update {
        true => Mode::Update,
        false => Mode::Compare,
    };
    let (engine, program) = load(&project, stack).await?;
    let width = cases.iter().map(|case| case.name.chars().count()).max();
    let paint = paint::stdout();
    let mut results = Vec::new();
    for case in cases {
        let one = case.run(&project, &engine, &program, mode).await?;
        if !args.format.is_json() {
            print(&page::line(&one, width.unwrap_or(0), paint))?;
        }
        results.push(one);
    }
    if args.format.is_json() {
        let failed = results.iter().filter(|one| !one.is_ok()).count();
        let cases: Vec<_> = results.iter().map(CaseResult::json).collect();
        let passed = results.len() - failed;
        let summary = Summary {
            passed,
            failed,
            tests: cases,
        };
        print(&format!("{}\n", serde_json::to_string(&summary)?))?;
    } else {
        print(&page::summary(&results, paint))?;
    }
    Ok(results)
}

/// The results as JSON.
#[derive(Serialize)]
struct Summary<'a> {
    passed: usize,
    failed: usize,
    tests: Vec<CaseJson<'a>>,
}

/// Splits off the first word if it names a folder.
fn folder_and_names(words: &[String]) -> (&Path, &[String]) {
    match words.split_first() {
        Some((first, names)) if Path::new(first).is_dir() => (Path::new(first), names),
        _ => (Path::new("."), words),
    }
}

async fn load(project: &Project, stack: GuestStack) -> anyhow::Result<(Engine, Program)> {
    let bytes = project.read_program()?.whole(&project.program())?;
    let engine = code_cache::start_engine(stack)?;
    let spinner = Spinner::start("compiling");
    let loaded = engine.load(Kind::detect(&bytes), &bytes).await;
    drop(spinner);
    let program = loaded.with_context(|| format!("cannot run {}", project.program().display()))?;
    Ok((engine, program))
}
