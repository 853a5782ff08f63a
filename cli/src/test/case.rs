//! One sample event of a project, and its run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde_json::Value;
use tenterhook_dispatch::{EVENT_MAX_BYTES, ReceivedEvent, Rehearsal};
use tenterhook_engine::{
    Engine, Invocation, Outcome, OutputSink, Pace, Program, Report, Seed, Stream, Usage, Verdict,
};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use super::Mode;
use super::compare::{self, Difference};
use super::expect::Expected;
use crate::hint;
use crate::program_file::{self, without_bom};
use crate::project::{Project, TESTS};

/// The suffix of an event's file.
const EVENT_SUFFIX: &str = ".event.json";

/// The suffix of an expectation's file.
const EXPECT_SUFFIX: &str = ".expect.json";

/// The frozen clock of an event without a time: the first second of 2026.
const UNTIMED: u64 = 1_767_225_600;

/// The seed of every run.
const SEED: u64 = 0;

/// A sample event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    /// The file's name without its suffix.
    pub(super) name: String,
    event: PathBuf,
    expect: PathBuf,
}

/// The result of a case.
pub(super) struct CaseResult {
    pub(super) name: String,
    pub(super) result: Result<CaseRun, String>,
}

/// A run, and how it compares with its expectation.
pub(super) struct CaseRun {
    pub(super) outcome: Outcome,
    pub(super) status: u8,
    pub(super) verdict: Option<Verdict>,
    pub(super) stderr: String,
    /// A suggestion, if it failed because a variable is not set.
    pub(super) hint: Option<String>,
    pub(super) usage: Usage,
    pub(super) comparison: Comparison,
}

/// A result as JSON.
#[derive(Serialize)]
pub(super) struct CaseJson<'a> {
    name: &'a str,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(flatten)]
    run: Option<CaseRunJson<'a>>,
}

#[derive(Serialize)]
struct CaseRunJson<'a> {
    outcome: &'a Outcome,
    exit_status: u8,
    verdict: Option<&'a Verdict>,
    usage: &'a Usage,
    differences: &'a [Difference],
}

/// How a run compares with its expectation.
#[derive(Debug, PartialEq)]
pub(super) enum Comparison {
    /// All as expected.
    Same,
    /// These members differ.
    Differs(Vec<Difference>),
    /// There is no expectation yet.
    NothingExpected,
    /// The expectation was written for the first time.
    Written,
    /// The expectation was rewritten; these members were different.
    Rewritten(Vec<Difference>),
}

/// Lists the cases of a project by name.
///
/// # Errors
///
/// The folder cannot be read or has no event.
pub(super) fn find(project: &Project) -> anyhow::Result<Vec<Case>> {
    let folder = project.tests();
    let example = format!("{TESTS}/NAME{EVENT_SUFFIX}");
    let event = &project.manifest.event;
    if !folder.is_dir() {
        bail!(
            "the folder {} does not exist; `tenterhook event {event} > {example}` creates a first test in it",
            folder.display()
        );
    }
    let cannot = || format!("cannot read the folder {}", folder.display());
    let mut cases = Vec::new();
    for entry in folder.read_dir().with_context(cannot)? {
        let name = entry.with_context(cannot)?.file_name();
        let Some(name) = name
            .to_str()
            .and_then(|name| name.strip_suffix(EVENT_SUFFIX))
        else {
            continue;
        };
        cases.push(Case {
            name: name.to_owned(),
            event: folder.join(format!("{name}{EVENT_SUFFIX}")),
            expect: folder.join(format!("{name}{EXPECT_SUFFIX}")),
        });
    }
    if cases.is_empty() {
        bail!(
            "{} has no sample event; `tenterhook event {event} > {example}` creates one",
            folder.display()
        );
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(cases)
}

/// Keeps the cases with these names; all if no name is given.
///
/// # Errors
///
/// No case has one of the names.
pub(super) fn choose(cases: Vec<Case>, names: &[String]) -> anyhow::Result<Vec<Case>> {
    if names.is_empty() {
        return Ok(cases);
    }
    let known: Vec<_> = cases.iter().map(|case| case.name.as_str()).collect();
    for name in names {
        if !known.contains(&name.as_str()) {
            bail!(
                "no folder or test is named {name:?}; the tests are: {}",
                known.join(", ")
            );
        }
    }
    Ok(cases
        .into_iter()
        .filter(|case| names.contains(&case.name))
        .collect())
}

impl Case {
    /// Runs the case. Invalid files fail this case alone.
    ///
    /// # Errors
    ///
    /// The host could not do its part.
    pub(super) async fn run(
        self,
        project: &Project,
        engine: &Engine,
        program: &Program,
        mode: Mode,
    ) -> anyhow::Result<CaseResult> {
        let expected = match Expected::read(&self.expect) {
            // An invalid file is not overwritten: its author meant something.
            Err(error) => return Ok(self.failed(&error)),
            Ok(expected) => expected,
        };
        let event = match read_event(&self.event, project) {
            Err(error) => return Ok(self.failed(&error)),
            Ok(event) => event,
        };
        let given = invocation(project, &event);
        let set: Vec<String> = given.env.iter().map(|(name, _)| name.clone()).collect();
        let report = engine
            .spawn(program, given)
            .await
            .context("the run panicked")??;
        let result = match self.compare(expected, &report, mode) {
            Err(error) => return Ok(self.failed(&error)),
            Ok(comparison) => CaseRun {
                status: compare::status(&report),
                verdict: report.verdict.clone(),
                stderr: compare::text(&report.stderr),
                hint: hint::of(&report, &set),
                outcome: report.outcome,
                usage: report.usage,
                comparison,
            },
        };
        Ok(CaseResult {
            name: self.name,
            result: Ok(result),
        })
    }

    fn compare(
        &self,
        expected: Option<Expected>,
        report: &Report,
        mode: Mode,
    ) -> anyhow::Result<Comparison> {
        let Some(expected) = expected else {
            if mode == Mode::Compare {
                return Ok(Comparison::NothingExpected);
            }
            let first = Expected::of(report, None);
            first.write(&self.expect)?;
            let left = compare::differences(&first, report);
            return Ok(match left.is_empty() {
                true => Comparison::Written,
                false => Comparison::Differs(left),
            });
        };
        let differences = compare::differences(&expected, report);
        if differences.is_empty() {
            return Ok(Comparison::Same);
        }
        if mode == Mode::Compare {
            return Ok(Comparison::Differs(differences));
        }
        let (left, mended): (Vec<_>, Vec<_>) =
            differences.into_iter().partition(Difference::is_final);
        if !mended.is_empty() {
            Expected::of(report, Some(expected)).write(&self.expect)?;
        }
        // Budgets are the author's decision: no run changes them.
        Ok(match left.is_empty() {
            true => Comparison::Rewritten(mended),
            false => Comparison::Differs(left),
        })
    }

    fn failed(self, error: &anyhow::Error) -> CaseResult {
        CaseResult {
            name: self.name,
            result: Err(format!("{error:#}")),
        }
    }
}

impl CaseResult {
    /// Whether the result was as expected, or the expectation was written.
    pub(super) fn is_ok(&self) -> bool {
        self.result.as_ref().is_ok_and(|ran| {
            !matches!(
                ran.comparison,
                Comparison::Differs(_) | Comparison::NothingExpected
            )
        })
    }

    /// The result as JSON; the verdict's details have the text that the hook wrote.
    pub(super) fn json(&self) -> CaseJson<'_> {
        match &self.result {
            Err(error) => CaseJson {
                name: &self.name,
                result: "error",
                error: Some(error),
                run: None,
            },
            Ok(ran) => {
                let (result, differences) = match &ran.comparison {
                    Comparison::Same => ("ok", &[][..]),
                    Comparison::Differs(differences) => ("failed", &differences[..]),
                    Comparison::NothingExpected => ("nothing_expected", &[][..]),
                    Comparison::Written => ("written", &[][..]),
                    Comparison::Rewritten(differences) => ("rewritten", &differences[..]),
                };
                CaseJson {
                    name: &self.name,
                    result,
                    error: None,
                    run: Some(CaseRunJson {
                        outcome: &ran.outcome,
                        exit_status: ran.status,
                        verdict: ran.verdict.as_ref(),
                        usage: &ran.usage,
                        differences,
                    }),
                }
            }
        }
    }
}

/// Reads a complete event for the project's hook point.
fn read_event(file: &Path, project: &Project) -> anyhow::Result<ReceivedEvent> {
    let json = program_file::read_bounded(file, EVENT_MAX_BYTES as u64)?;
    let kind = &project.manifest.event;
    let event = ReceivedEvent::parse(without_bom(&json)).map_err(|fault| {
        let whole = format!("{} is not an event: {fault}", file.display());
        let data = serde_json::from_slice::<Value>(without_bom(&json))
            .is_ok_and(|value| value.get("specversion").is_none());
        match data {
            true => anyhow::anyhow!(
                "{whole}; move its content into the member `data` of a complete event, \
                 as `tenterhook event {kind}` prints one"
            ),
            false => anyhow::anyhow!("{whole}; `tenterhook event {kind}` prints one"),
        }
    })?;
    let found = &event.attributes().kind;
    if found != kind {
        bail!(
            "{} is an event of the type {:?}, but tenterhook.toml has `event = {kind:?}`",
            file.display(),
            found,
        );
    }
    Ok(event)
}

/// Assembles what a server would give to the project's hook.
fn invocation(project: &Project, event: &ReceivedEvent) -> Invocation {
    let manifest = &project.manifest;
    let hook = Rehearsal {
        name: program_file::name(&manifest.program),
        args: manifest.hook.args.clone().unwrap_or_default(),
        env: manifest.hook.env.clone().unwrap_or_default(),
    };
    let given = hook.invocation(
        event,
        &manifest.hook_point(),
        manifest.limits(),
        CancellationToken::new(),
        Arc::new(DiscardOutput),
    );
    Invocation {
        start: start(event),
        seed: Seed::from(SEED),
        pace: Pace::Skip,
        ..given
    }
}

/// The event's own time, if a clock can show it.
fn start(event: &ReceivedEvent) -> SystemTime {
    let time = event.attributes().time.as_deref();
    // What is not a time was refused when the event was read.
    time.and_then(tenterhook_api::parse_time)
        .filter(|at| *at >= OffsetDateTime::UNIX_EPOCH)
        .map_or_else(
            || SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(UNTIMED),
            SystemTime::from,
        )
}

/// Discards output as it is printed: the report has it.
struct DiscardOutput;

impl OutputSink for DiscardOutput {
    fn write(&self, _: Stream, _: &[u8]) {}
}
