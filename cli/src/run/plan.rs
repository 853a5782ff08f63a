//! The plan of a `run`: its flags, checked once, with all faults reported at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tenterhook_dispatch::Rehearsal;
use tenterhook_engine::{AskedLimits, GuestStack, Invocation, Limits, OutputSink, Pace, Seed};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use super::RunArgs;
use crate::faults::Faults;
use crate::local_event::{LocalEvent, Stdin};
use crate::subject::Subject;
use crate::{logging, stdin};

/// What a `run` does.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) subject: Subject,
    pub(super) event: LocalEvent,
    pub(super) report: Option<PathBuf>,
    pub(super) bill: bool,
    pub(super) log: EnvFilter,
    pub(super) stack: GuestStack,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    limits: Limits,
    /// What was given that a case file has itself.
    input: Vec<&'static str>,
    /// When the clock starts; a sleep ends at once then.
    clock: Option<SystemTime>,
    seed: Option<Seed>,
}

impl Plan {
    /// Checks every flag.
    pub(super) fn read(args: RunArgs, log: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let input = [
            ("arguments", !args.args.is_empty()),
            ("`--event`", args.event.is_some()),
            ("`--data`", args.data.is_some()),
            ("`--env`", !args.env.is_empty()),
            ("`--seed`", args.seed.is_some()),
            ("`--clock`", args.clock.is_some()),
        ];
        let input = input.into_iter().filter(|(_, given)| *given);
        let mut input: Vec<_> = input.map(|(name, _)| name).collect();
        let log = faults.check("--log", logging::parse_filter(log, "error"));
        let subject = faults.check("FILE", Subject::of(args.file.as_deref()));
        let asked = args.limits.read("--", &mut faults);
        if asked != AskedLimits::default() {
            input.push("limits");
        }
        let defaults = subject
            .as_ref()
            .map_or_else(Limits::default, Subject::limits);
        let stack = args.stack.read(&mut faults);
        let limits = faults.check("--…", asked.resolve(&defaults, &Limits::ceiling()));
        let seed = args.seed.as_deref().map(parse_seed).transpose();
        let seed = faults.check("--seed", seed);
        let clock = args.clock.as_deref().map(parse_clock).transpose();
        let clock = faults.check("--clock", clock);
        let own: Vec<_> = args
            .env
            .iter()
            .filter_map(|text| faults.check("--env", parse_variable(text)))
            .collect();
        let event = faults.check("--event", LocalEvent::new(args.event, args.data));
        let (Some(log), Some(subject), Some(limits), Some(stack)) = (log, subject, limits, stack)
        else {
            return Err(faults);
        };
        let (Some(seed), Some(clock), Some(event)) = (seed, clock, event) else {
            return Err(faults);
        };
        if args
            .report
            .as_deref()
            .is_some_and(|file| is_same(file, subject.file()))
        {
            faults.add("--report", "must not name the program itself");
        }
        faults.none()?;
        let mut env = subject.env();
        env.extend(own);
        Ok(Self {
            args: match args.args {
                none if none.is_empty() => subject.args(),
                args => args,
            },
            event: match event {
                LocalEvent::None => subject.event(),
                event => event,
            },
            subject,
            input,
            report: args.report,
            bill: args.bill,
            log,
            stack,
            env,
            limits,
            clock,
            seed,
        })
    }

    /// What was given that a case file has itself.
    pub(super) fn input(&self) -> &[&'static str] {
        &self.input
    }

    /// The run's limits.
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Assembles the invocation, standard input included, and says what of the event's data
    /// is not among its parameters.
    ///
    /// Without data for an event, standard input is this process's own.
    pub(super) async fn invocation(
        &self,
        cancel: CancellationToken,
        output: Arc<dyn OutputSink>,
    ) -> anyhow::Result<(Invocation, Vec<String>)> {
        let mut warnings = Vec::new();
        let at = self.clock.unwrap_or_else(SystemTime::now);
        let name = self.subject.name();
        let limits = self.limits.clone();
        let (given, stdin) = match self.event.read(at).await? {
            Some(read) => {
                let hook = Rehearsal {
                    name,
                    args: self.args.clone(),
                    env: self.env.clone(),
                };
                warnings = Rehearsal::warnings(&read.event, &read.name);
                let given = hook.invocation(&read.event, &read.name, limits, cancel, output);
                let stdin = read.event.has_data().then_some(read.stdin);
                (given, stdin)
            }
            None => {
                let given = Invocation {
                    name,
                    args: self.args.clone(),
                    env: self.env.clone().into_iter().collect(),
                    limits,
                    cancel,
                    output: Some(output),
                    ..Invocation::default()
                };
                (given, None)
            }
        };
        let invocation = Invocation {
            stdin: match stdin {
                Some(Stdin::Data) => given.stdin.clone(),
                Some(Stdin::PipedOrData) => match stdin::read().await? {
                    nothing if nothing.is_empty() => given.stdin.clone(),
                    piped => piped,
                },
                None => stdin::read().await?,
            },
            start: at,
            seed: self.seed.unwrap_or_else(Seed::draw),
            pace: match self.clock {
                Some(_) => Pace::Skip,
                None => Pace::Real,
            },
            ..given
        };
        Ok((invocation, warnings))
    }
}

/// Whether both paths lead to the same existing file.
fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn parse_seed(text: &str) -> Result<Seed, &'static str> {
    text.parse::<u64>()
        .map(Seed::from)
        .map_err(|_| "must be a whole number from 0 to 18446744073709551615")
}

fn parse_clock(text: &str) -> Result<SystemTime, &'static str> {
    let at = tenterhook_api::parse_time(text)
        .ok_or("must be a time such as 2026-03-10T16:15:50Z, with a T and no space")?;
    if at < OffsetDateTime::UNIX_EPOCH {
        return Err("must not lie before 1970");
    }
    Ok(at.into())
}

fn parse_variable(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("must be a name and a value, such as LANG=C"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Args, Command};

    fn plan(line: &[&str]) -> Result<Plan, Faults> {
        let line = ["tenterhook", "run"].iter().chain(line);
        let Command::Run(args) = Args::try_parse_from(line).unwrap().command else {
            panic!("not `run`");
        };
        Plan::read(args, None)
    }

    #[test]
    fn a_plan_resolves_the_flags() {
        let plan = plan(&[
            "x.sh",
            "--seed",
            "7",
            "--clock",
            "1970-01-01T00:00:01Z",
            "--env",
            "A=b=c",
            "--stack",
            "1MiB",
        ])
        .unwrap();
        assert_eq!(plan.seed, Some(Seed::from(7)));
        assert_eq!(
            plan.clock,
            Some(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1))
        );
        assert_eq!(plan.env, BTreeMap::from([("A".into(), "b=c".into())]));
        assert_eq!(plan.limits, Limits::default());
        assert_eq!(plan.stack.bytes(), 1 << 20);
    }

    #[test]
    fn all_invalid_flags_are_reported_at_once() {
        let faults = plan(&[
            "x.sh", "--seed", "x", "--clock", "noon", "--env", "=b", "--fuel", "0", "--stack",
            "9MiB", "--event", "Nonsense",
        ])
        .unwrap_err()
        .to_string();
        for flag in ["--seed", "--clock", "--env", "--fuel", "--stack", "--event"] {
            assert!(faults.contains(&format!("`{flag}` ")), "{flag}: {faults}");
        }
    }
}
