//! How a run ended, as this process's exit status and in words.

use tenterhook_engine::{Limit, Limits, Outcome, Report};

use super::live::OutputDelivery;
use crate::neutral;
use crate::paint::{self, Painter};
use crate::quantity::{show_count, show_millis, show_size};
use crate::say::say;
use crate::signals::Signal;

/// The host could not do its part, a refused program included.
pub(crate) const HOST_FAULT: u8 = 125;

/// The deadline passed; the status that `timeout` uses.
pub(super) const DEADLINE: u8 = 124;

/// Another limit was reached; what a process killed by SIGKILL leaves.
const OTHER_LIMIT: u8 = 137;

/// The program trapped; what a process ended by SIGABRT leaves.
const TRAP: u8 = 134;

/// The reader closed the output early; what a process ended by SIGPIPE leaves.
const BROKEN_PIPE: u8 = 141;

/// How a run ended, seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By itself or at one of its limits.
    Program(Outcome),
    /// Because this process was asked to stop.
    Interrupted(Signal),
    /// Because the reader of its output closed the pipe.
    BrokenPipe,
    /// Because its output was not read by its deadline.
    Unread,
}

impl Ending {
    /// Why a cancelled run was cancelled; every other outcome stands for itself.
    pub(super) fn of(
        outcome: Outcome,
        interrupted: Option<Signal>,
        delivery: OutputDelivery,
    ) -> Self {
        match (outcome, interrupted, delivery) {
            (Outcome::Cancelled, Some(signal), _) => Self::Interrupted(signal),
            (_, _, OutputDelivery::ReaderGone) => Self::BrokenPipe,
            (outcome, ..) => Self::Program(outcome),
        }
    }

    /// The status for this process to end with.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Program(Outcome::Exited { status }) => *status,
            Self::Program(Outcome::Stopped { limit: Limit::Wall }) => DEADLINE,
            Self::Program(Outcome::Stopped { .. }) => OTHER_LIMIT,
            Self::Program(Outcome::Trapped(_)) => TRAP,
            Self::Program(Outcome::Cancelled) => Signal::Interrupt.status(),
            Self::Interrupted(signal) => signal.status(),
            Self::BrokenPipe => BROKEN_PIPE,
            Self::Unread => DEADLINE,
        }
    }

    /// Reports what the status alone does not show, including a verdict that denies: the
    /// status stays the program's own.
    pub(super) fn report(&self, run: &Report, limits: &Limits) {
        match self {
            Self::Program(Outcome::Exited { .. }) | Self::BrokenPipe | Self::Unread => {}
            Self::Program(Outcome::Stopped { limit }) => say(format_args!(
                "stopped at its {limit} limit, {}",
                bound(*limit, limits)
            )),
            Self::Program(Outcome::Trapped(trap)) => {
                say(format_args!("trapped: {}", neutral::line(&trap.reason)));
                for (depth, frame) in trap.backtrace.iter().enumerate() {
                    say(format_args!("  {depth}: {}", neutral::line(frame)));
                }
            }
            Self::Program(Outcome::Cancelled) | Self::Interrupted(_) => say("interrupted"),
        }
        if run.dropped_bytes > 0 {
            say(format_args!(
                "{} bytes of output beyond the limit of {} were dropped; `--output` allows more",
                run.dropped_bytes,
                show_size(limits.output)
            ));
        }
        let denies = run.verdict.as_ref().and_then(|verdict| verdict.allow) == Some(false);
        if denies {
            say(answer(run, paint::stderr()));
        }
        if let Some(fault) = &run.verdict_fault {
            say(format_args!(
                "{}; a server treats that as a failure of the hook",
                neutral::line(fault)
            ));
        }
    }
}

/// Describes the program's verdict, in a line.
pub(crate) fn answer(run: &Report, paint: Painter) -> String {
    if let Some(fault) = &run.verdict_fault {
        return paint.bad(&neutral::line(fault));
    }
    let Some(verdict) = &run.verdict else {
        return "none; the exit status decides".into();
    };
    let reason = match &verdict.reason {
        Some(reason) => format!(": {}", neutral::line(reason)),
        None => String::new(),
    };
    match verdict.allow {
        Some(true) => format!("{}{reason}", paint.ok("allowed")),
        Some(false) if reason.is_empty() => {
            format!("{}, without a reason", paint.bad("denied"))
        }
        Some(false) => format!("{}{reason}", paint.bad("denied")),
        None => format!("neither allows nor denies; the exit status decides{reason}"),
    }
}

/// Describes the limit that was reached, and the flag that raises it.
fn bound(limit: Limit, limits: &Limits) -> String {
    let millis = u64::try_from(limits.wall.as_millis()).unwrap_or(u64::MAX);
    match limit {
        Limit::Fuel => format!("{}; `--fuel` allows more", show_count(limits.fuel)),
        Limit::Memory => format!("{}; `--memory` allows more", show_size(limits.memory)),
        Limit::Wall => format!("{}; `--timeout` allows more", show_millis(millis)),
        Limit::Output => format!("{}; `--output` allows more", show_size(limits.output)),
        _ => "which the host sets".into(),
    }
}

#[cfg(test)]
mod tests {
    use tenterhook_engine::Trap;

    use super::*;

    #[test]
    fn every_ending_has_its_status() {
        let trap = Trap {
            reason: "unreachable".into(),
            backtrace: vec![],
        };
        for (ending, status) in [
            (Ending::Program(Outcome::Exited { status: 200 }), 200),
            (
                Ending::Program(Outcome::Stopped { limit: Limit::Wall }),
                124,
            ),
            (
                Ending::Program(Outcome::Stopped { limit: Limit::Fuel }),
                137,
            ),
            (
                Ending::Program(Outcome::Stopped {
                    limit: Limit::Memory,
                }),
                137,
            ),
            (
                Ending::Program(Outcome::Stopped {
                    limit: Limit::Output,
                }),
                137,
            ),
            (Ending::Program(Outcome::Trapped(trap)), 134),
            (Ending::Interrupted(Signal::Interrupt), 130),
            (Ending::Interrupted(Signal::Terminate), 143),
            (Ending::BrokenPipe, 141),
            (Ending::Unread, 124),
        ] {
            assert_eq!(ending.status(), status, "{ending:?}");
        }
    }

    #[test]
    fn a_program_that_ended_by_itself_was_not_interrupted() {
        let exited = Outcome::Exited { status: 3 };
        let ending = Ending::of(
            exited.clone(),
            Some(Signal::Interrupt),
            OutputDelivery::Complete,
        );
        assert_eq!(ending, Ending::Program(exited));
        let ending = Ending::of(Outcome::Cancelled, None, OutputDelivery::ReaderGone);
        assert_eq!(ending, Ending::BrokenPipe);
    }
}
