//! What became of an attack, in the words of the table, and whether that is what
//! its row expects.

use tenterhook_engine::{Error, Outcome, Report};

use crate::attack::Expected;

/// What became of an attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// What stopped it.
    pub(crate) stopped_by: String,
    /// Whether its row expects that.
    pub(crate) as_expected: bool,
}

impl Ending {
    /// Judges an answer of the engine.
    pub(crate) fn of(expected: Expected, answer: &Result<Report, Error>) -> Self {
        let as_expected = match (answer, expected) {
            (Ok(report), expected) => is_expected(expected, report),
            (Err(Error::Refused { refusal }), Expected::Refused(word)) => {
                refusal.to_string().contains(word)
            }
            (Err(_), _) => false,
        };
        let stopped_by = match (answer, expected) {
            (Ok(report), Expected::Denied { by, .. } | Expected::DeniedOrTraps { by, .. })
                if as_expected && report.outcome.is_success() =>
            {
                by.to_owned()
            }
            (Ok(report), _) => words(&report.outcome),
            (Err(Error::Refused { refusal }), _) => format!("refused: {refusal}"),
            (Err(error), _) => format!("the host failed: {error}"),
        };
        Self {
            stopped_by: visible(&stopped_by),
            as_expected,
        }
    }
}

fn is_expected(expected: Expected, report: &Report) -> bool {
    match (expected, &report.outcome) {
        (Expected::Stopped(expected), Outcome::Stopped { limit }) => expected == *limit,
        (Expected::Ends, Outcome::Stopped { .. }) => true,
        (Expected::Ends, Outcome::Exited { status }) => *status != 0,
        (Expected::Traps(word), Outcome::Trapped(trap)) => trap.reason.contains(word),
        (Expected::DeniedOrTraps { .. }, Outcome::Trapped(_)) => true,
        (Expected::Denied { shown, .. } | Expected::DeniedOrTraps { shown, .. }, outcome) => {
            outcome.is_success() && shown(report)
        }
        _ => false,
    }
}

/// A hostile program's words, so that no terminal obeys them.
fn visible(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c.is_control() {
            true => c.escape_default().collect::<Vec<_>>(),
            false => vec![c],
        })
        .collect()
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Stopped { limit } => format!("{limit} limit"),
        Outcome::Trapped(trap) => trap.reason.clone(),
        Outcome::Exited { status } => format!("gave up with status {status}"),
        Outcome::Cancelled => "cancelled".to_owned(),
    }
}
