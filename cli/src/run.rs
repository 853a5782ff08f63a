//! `tenterhook run`: runs one program locally, in the sandbox of a hook.
//!
//! Its streams are this process's own and its status becomes this process's status, so
//! that it can replace `sh FILE` in a pipeline or a script.

mod ending;
mod live;
mod plan;
pub(crate) mod report;
mod usage_table;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use tenterhook_dispatch::Case;
use tenterhook_engine::{Engine, Invocation, Kind, Limits, Program, Report};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::ending::DEADLINE;
pub(crate) use self::ending::{Ending, HOST_FAULT, answer};
use self::live::{OutputDelivery, Printer};
use self::plan::Plan;
use crate::limit_flags::LimitFlags;
use crate::logging::{self, LogFormat};
use crate::quantity::show_millis;
use crate::say::{say, say_error};
use crate::signals::{Signal, Signals};
use crate::spinner::Spinner;
use crate::stack_limit::StackLimitFlag;
use crate::{code_cache, hint, neutral, own_thread, paint};

/// Runs a script or module locally, in the sandbox of a hook.
///
/// Standard input, output and error are passed through. Exit status: that of the program,
/// whatever its verdict in `/verdict.json`; 124 at its deadline, by which its output must
/// have been read too, or if its input takes that long to arrive; 137 at any other limit,
/// 134 if it trapped, 130 if interrupted, 125 if it could not be run.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The script, module or component; or a case file, as `tenterhook case` writes one,
    /// which is run again and compared. A folder with a `tenterhook.toml`, by default
    /// this one, stands for its program with arguments, variables, limits and a
    /// sample of its event.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Its arguments; put `--` before those that begin with a hyphen.
    #[arg(value_name = "ARGS")]
    pub(crate) args: Vec<String>,
    /// Run it for an event: sets `/event.json` and the `HOOK_…` variables. A hook
    /// point's name, such as `OnAudit`, with the catalog's sample as data; or a file
    /// with a complete event, as `tenterhook event` prints it (`-` is standard input).
    #[arg(long, value_name = "NAME|FILE")]
    event: Option<String>,
    /// The event's data, JSON, in place of the sample; it is also the standard input.
    /// `-` reads it from there.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// An environment variable; may be repeated. There are no others.
    #[arg(long, value_name = "K=V")]
    env: Vec<String>,
    /// Draw random numbers from this seed: the same ones in every run.
    #[arg(long, value_name = "N")]
    seed: Option<String>,
    /// Start the clock at this time, such as `2026-03-10T16:15:50Z`. A sleep then ends at
    /// once, and moves the clock all the same.
    #[arg(long, value_name = "RFC3339")]
    clock: Option<String>,
    /// Write outcome and usage as JSON to this file; `-` is standard output, after
    /// that of the program.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print the bill on standard error: how much of each limit was used, and the verdict.
    #[arg(long)]
    bill: bool,
    #[command(flatten)]
    pub(crate) limits: LimitFlags,
    #[command(flatten, next_help_heading = "Limits")]
    pub(crate) stack: StackLimitFlag,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: RunArgs, log: Option<&str>) -> ExitCode {
    let plan = match Plan::read(args, log) {
        Ok(plan) => plan,
        Err(faults) => {
            say(faults);
            return HOST_FAULT.into();
        }
    };
    logging::start(LogFormat::Text, plan.log.clone());
    run(plan).into()
}

#[tokio::main(flavor = "current_thread")]
async fn run(plan: Plan) -> u8 {
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            say_error(&error);
            return HOST_FAULT;
        }
    };
    match run_plan(plan, &mut signals).await {
        Ok(ending) => ending.status(),
        Err(error) => {
            let status = match error.is::<InputTimeout>() {
                true => DEADLINE,
                false => HOST_FAULT,
            };
            // The reader of standard error may never read this.
            let reported = own_thread::run("error", move || say_error(&error));
            tokio::select! {
                _ = reported => status,
                signal = signals.next() => signal.status(),
                () = tokio::time::sleep(LAST_OUTPUT) => status,
            }
        }
    }
}

async fn run_plan(plan: Plan, signals: &mut Signals) -> anyhow::Result<Ending> {
    tokio::select! {
        signal = signals.next() => Ok(Ending::Interrupted(signal)),
        prepared = prepare(plan) => prepared?.run(signals).await,
    }
}

/// A loaded program and its invocation.
struct Prepared {
    engine: Engine,
    program: Program,
    invocation: Invocation,
    warnings: Vec<String>,
    /// What it is to be compared with.
    case: Option<Case>,
    printer: Printer,
    reporting: Reporting,
}

/// What is reported of a run besides its output.
#[derive(Debug)]
struct Reporting {
    report: Option<PathBuf>,
    bill: bool,
}

/// The program or its input did not arrive in time.
#[derive(Debug)]
struct InputTimeout {
    what: &'static str,
    after_ms: u64,
}

impl fmt::Display for InputTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, after) = (self.what, show_millis(self.after_ms));
        write!(
            f,
            "stopped at its wall limit, {after}: {what} did not arrive in time; `--timeout` allows more"
        )
    }
}

impl std::error::Error for InputTimeout {}

/// Waits for input from outside, for at most as long as the run itself may take.
async fn with_timeout<T>(
    what: &'static str,
    limits: &Limits,
    read: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let Ok(read) = tokio::time::timeout(limits.wall, read).await else {
        let after_ms = u64::try_from(limits.wall.as_millis()).unwrap_or(u64::MAX);
        anyhow::bail!(InputTimeout { what, after_ms });
    };
    read
}

/// Reads and loads the program and its input. Each is read to its end and may be a pipe: the
/// program, and then its input, may each take as long to arrive as the run may take, whose
/// deadline starts when everything has arrived.
async fn prepare(plan: Plan) -> anyhow::Result<Prepared> {
    let cancel = CancellationToken::new();
    let subject = plan.subject.clone();
    let read = own_thread::run("program", move || subject.read()?.whole(subject.file()));
    let bytes = with_timeout("the program", plan.limits(), read).await??;
    if Case::begins(&bytes) {
        return prepare_case(&plan, &bytes.into()).await;
    }
    let engine = code_cache::start_engine(plan.stack)?;
    let compiling = Spinner::start("compiling");
    let program = engine
        .load(Kind::detect(&bytes), &bytes)
        .await
        .with_context(|| format!("cannot run {}", plan.subject.file().display()))?;
    drop(compiling);
    let (sink, printer) = live::open(cancel.clone(), plan.event.note());
    let given = plan.invocation(cancel, sink);
    let (invocation, warnings) = with_timeout("its input", plan.limits(), given).await?;
    Ok(Prepared {
        engine,
        program,
        invocation,
        warnings,
        case: None,
        printer,
        reporting: Reporting {
            report: plan.report,
            bill: plan.bill,
        },
    })
}

/// The same for a case file, which has program and input in it.
async fn prepare_case(plan: &Plan, file: &Bytes) -> anyhow::Result<Prepared> {
    let path = plan.subject.file().display();
    if !plan.input().is_empty() {
        anyhow::bail!(
            "{path} is a case file, which has its own input: leave out {}",
            plan.input().join(", ")
        );
    }
    let case = Case::read(file).with_context(|| format!("cannot run {path}"))?;
    let engine = code_cache::start_engine(plan.stack)?;
    let compiling = Spinner::start("compiling");
    let program = engine
        .load(case.kind(), &case.program())
        .await
        .with_context(|| format!("cannot run {path}"))?;
    drop(compiling);
    let cancel = CancellationToken::new();
    let (sink, printer) = live::open(cancel.clone(), plan.event.note());
    let invocation = Invocation {
        cancel,
        output: Some(sink),
        ..case.invocation()
    };
    Ok(Prepared {
        engine,
        program,
        invocation,
        warnings: Vec::new(),
        case: Some(case),
        printer,
        reporting: Reporting {
            report: plan.report.clone(),
            bill: plan.bill,
        },
    })
}

/// How long after its deadline, or a signal, a run's output may take to reach its reader:
/// far longer than an active reader needs.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

impl Prepared {
    /// Runs the program and reports the outcome. The deadline holds until the output has
    /// reached its reader.
    async fn run(self, signals: &mut Signals) -> anyhow::Result<Ending> {
        let cancel = self.invocation.cancel.clone();
        let limits = self.invocation.limits.clone();
        let names = self.invocation.env.iter().map(|(name, _)| name.clone());
        let names: Vec<_> = names.collect();
        let deadline = Instant::now() + limits.wall;
        let mut running = self.engine.spawn(&self.program, self.invocation);
        let mut interrupted = None;
        let ended = loop {
            tokio::select! {
                ended = &mut running => break ended,
                signal = signals.next() => {
                    cancel.cancel();
                    if interrupted.replace(signal).is_some() {
                        return Ok(Ending::Interrupted(signal));
                    }
                }
            }
        };
        let mut run = ended.context("the run panicked")??;
        let compared = match &self.case {
            Some(case) => comparison(case, &run, self.engine.build()).await?,
            None => Vec::new(),
        };
        // It was stopped where the attempt was, for want of fuel and not of time.
        if let Some(outcome) = self.case.as_ref().and_then(Case::interrupted) {
            run.outcome = outcome;
        }
        let summary = Summary {
            run,
            compared,
            program: self.program,
            limits,
            names,
            warnings: self.warnings,
            interrupted,
            reporting: self.reporting,
        };
        let until = match interrupted {
            Some(_) => Instant::now(),
            None => deadline,
        };
        let printed = self.printer.finish(move |delivery| summary.print(delivery));
        tokio::select! {
            printed = printed => printed.context("printing panicked")?,
            signal = signals.next() => Ok(Ending::Interrupted(signal)),
            () = tokio::time::sleep_until(until + LAST_OUTPUT) => {
                Ok(interrupted.map_or(Ending::Unread, Ending::Interrupted))
            }
        }
    }
}

/// Compares a run of a case with what was recorded, in lines.
async fn comparison(case: &Case, run: &Report, build: &str) -> anyhow::Result<Vec<String>> {
    let (differences, notes) = case.compare(run, build).await?;
    let mut lines = vec![match differences.is_empty() {
        true => "the same as was recorded".to_owned(),
        false => "different from what was recorded:".to_owned(),
    }];
    lines.extend(differences.iter().map(ToString::to_string));
    lines.extend(notes.iter().map(|note| format!("note: {note}")));
    Ok(lines)
}

/// What is reported of a finished run.
struct Summary {
    run: Report,
    /// How it compares with a case.
    compared: Vec<String>,
    program: Program,
    limits: Limits,
    names: Vec<String>,
    warnings: Vec<String>,
    interrupted: Option<Signal>,
    reporting: Reporting,
}

impl Summary {
    fn print(self, delivery: OutputDelivery) -> anyhow::Result<Ending> {
        let Self {
            run,
            compared,
            program,
            limits,
            names,
            warnings,
            interrupted,
            reporting,
        } = self;
        let ending = Ending::of(run.outcome.clone(), interrupted, delivery);
        for warning in warnings {
            say(neutral::line(&format!("warning: {warning}")));
        }
        ending.report(&run, &limits);
        for line in compared {
            say(neutral::line(&line));
        }
        if let Some(hint) = hint::of(&run, &names) {
            say(hint);
        }
        if reporting.bill {
            let table = usage_table::draw(&program, &run, &limits, &ending, paint::stderr());
            let _ = std::io::Write::write_all(&mut std::io::stderr().lock(), table.as_bytes());
        }
        if let Some(file) = &reporting.report {
            report::RunReport::new(&program, &run, &limits, &ending).write(file)?;
        }
        Ok(ending)
    }
}
