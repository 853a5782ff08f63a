//! One run of the program that was checked, and what it used.

use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use serde_json::{Value, json};
use tenterhook_dispatch::Rehearsal;
use tenterhook_engine::{Engine, Invocation, Limits, OutputSink, Program, Report, Stream};
use tokio_util::sync::CancellationToken;

use super::result::Page;
use crate::amount::{count, size, time};
use crate::local_event::LocalEvent;
use crate::neutral;
use crate::paint::Painter;
use crate::run::{Ending, answer, report};
use crate::subject::Subject;

/// Lines of standard error that are shown of a failed run.
const SHOWN_LINES: usize = 10;

/// One run and its report.
pub(super) struct Trial {
    /// The type of the event, if the run had one.
    event: Option<String>,
    program: Program,
    limits: Limits,
    run: Report,
}

/// Discards output as it is printed: the report has it.
struct DiscardOutput;

impl OutputSink for DiscardOutput {
    fn write(&self, _: Stream, _: &[u8]) {}
}

/// Runs the program once for this event.
pub(super) async fn run(
    engine: &Engine,
    program: &Program,
    subject: &Subject,
    event: &LocalEvent,
) -> anyhow::Result<Trial> {
    let limits = subject.limits();
    let read = event.read(SystemTime::now()).await?;
    let (name, args, env) = (subject.name(), subject.args(), subject.env());
    let given = match &read {
        Some(read) => {
            let cancel = CancellationToken::new();
            let hook = Rehearsal { name, args, env };
            let (event, name) = (&read.event, &read.name);
            hook.invocation(event, name, limits.clone(), cancel, Arc::new(DiscardOutput))
        }
        None => Invocation {
            name,
            args,
            env: env.into_iter().collect(),
            limits: limits.clone(),
            ..Invocation::default()
        },
    };
    let run = engine
        .spawn(program, given)
        .await
        .context("the trial panicked")??;
    Ok(Trial {
        event: read.map(|read| read.name.as_str().to_owned()),
        program: program.clone(),
        limits,
        run,
    })
}

impl Trial {
    /// Writes the trial as text.
    pub(super) fn write_to(&self, page: &mut Page, paint: Painter) {
        let Self { run, limits, .. } = self;
        let usage = &run.usage;
        match &self.event {
            Some(event) => page.line("trial", format_args!("one run for {event}")),
            None => page.line(
                "trial",
                "one run without an event; `--event NAME` gives it one",
            ),
        }
        let wall = u64::try_from(limits.wall.as_micros()).unwrap_or(u64::MAX);
        page.line("fuel", of(count, usage.fuel, limits.fuel));
        page.line("memory", of(size, usage.memory_peak_bytes, limits.memory));
        page.line("time", of(time, usage.wall_us, wall));
        let outcome = neutral::line(&run.outcome.to_string());
        page.line(
            "outcome",
            match run.is_success() {
                true => paint.ok(&outcome),
                false => paint.bad(&outcome),
            },
        );
        page.line("answer", answer(run, paint));
        if !run.outcome.is_success() {
            for line in last_lines(&run.stderr) {
                page.line("", paint.dim(&line));
            }
        }
    }

    /// The trial as JSON: what `run --report` writes, and the event's type.
    pub(super) fn json(&self) -> Value {
        let ending = Ending::Program(self.run.outcome.clone());
        let document = report::RunReport::new(&self.program, &self.run, &self.limits, &ending);
        let mut document = json!(document);
        document["event"] = json!(self.event);
        document
    }
}

fn of(show: fn(u64) -> String, used: u64, limit: u64) -> String {
    format!("{} of {}", show(used), show(limit))
}

fn last_lines(stderr: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..]
        .iter()
        .map(|line| neutral::line(line))
        .collect()
}
