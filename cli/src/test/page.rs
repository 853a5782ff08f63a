//! The output of `test`: a line for each test, followed by its differences.

use std::fmt::Write as _;
use std::time::Duration;

use similar::{ChangeTag, TextDiff};
use tenterhook_engine::Outcome;

use super::case::{CaseResult, CaseRun, Comparison};
use super::compare::Difference;
use super::exact::{Exact, pretty};
use crate::paint::Painter;
use crate::{amount, neutral};

/// The indentation of details below a test's line.
const INDENT: &str = "      ";

/// Lines of a difference and of a hook's stderr that are shown.
const SHOWN_MAX_LINES: usize = 60;

/// Time limit for finding the shortest diff; after that, any diff will do.
const DIFF_TIMEOUT: Duration = Duration::from_millis(500);

/// Columns of the outcome.
const OUTCOME_WIDTH: usize = 10;

/// Formats a test's line and its details.
pub(super) fn line(result: &CaseResult, width: usize, paint: Painter) -> String {
    let name = neutral::line(&result.name);
    let name = format!("{name:width$}");
    let ran = match &result.result {
        Ok(ran) => ran,
        Err(error) => {
            let error = neutral::line(error);
            return format!("{}  {name}\n{INDENT}{error}\n", paint.bad("fail"));
        }
    };
    let usage = &ran.usage;
    let fuel = format!("{} fuel", amount::count(usage.fuel));
    let memory = amount::size(usage.memory_peak_bytes);
    let time = amount::time(usage.wall_us);
    let mark = match ran.comparison {
        Comparison::Same => paint.ok("ok  "),
        Comparison::Written | Comparison::Rewritten(_) => paint.warn("new "),
        Comparison::Differs(_) | Comparison::NothingExpected => paint.bad("fail"),
    };
    let usage = paint.dim(&format!("{fuel:>12}  {memory:>9}  {time:>9}"));
    let outcome = outcome(ran);
    let mut text = format!("{mark}  {name}  {outcome:OUTCOME_WIDTH$}  {usage}\n");
    match &ran.comparison {
        Comparison::Same => {}
        Comparison::NothingExpected => text.push_str(&format!(
            "{INDENT}it has no expectation yet; `tenterhook test --update` writes this result to tests/{}.expect.json\n",
            neutral::line(&result.name)
        )),
        Comparison::Written => text.push_str(&format!(
            "{INDENT}wrote tests/{}.expect.json\n",
            neutral::line(&result.name)
        )),
        Comparison::Rewritten(differences) => {
            text.push_str(&format!(
                "{INDENT}rewrote tests/{}.expect.json\n",
                neutral::line(&result.name)
            ));
            for difference in differences {
                differs(&mut text, difference, paint);
            }
        }
        Comparison::Differs(differences) => {
            for difference in differences {
                differs(&mut text, difference, paint);
            }
            explain(&mut text, ran, differences, paint);
        }
    }
    text
}

/// Summarizes how many passed, and what to do about the rest.
pub(super) fn summary(results: &[CaseResult], paint: Painter) -> String {
    let failed = results.iter().filter(|one| !one.is_ok()).count();
    let written = results
        .iter()
        .filter_map(|one| one.result.as_ref().ok())
        .filter(|ran| {
            matches!(
                ran.comparison,
                Comparison::Written | Comparison::Rewritten(_)
            )
        })
        .count();
    let mut text = format!("{} passed", results.len() - failed);
    if written > 0 {
        text.push_str(&format!(", {written} of them with a new expectation"));
    }
    match failed {
        0 => format!("{}\n", paint.ok(&text)),
        failed => format!(
            "{}\n",
            paint.bad(&format!(
                "{text}, {failed} failed; if these results are intended, `tenterhook test --update` records them"
            ))
        ),
    }
}

/// Describes how a run ended, in a word or two.
fn outcome(ran: &CaseRun) -> String {
    let allow = ran.verdict.as_ref().and_then(|verdict| verdict.allow);
    match (&ran.outcome, allow) {
        (Outcome::Exited { .. }, Some(false)) => "denied".into(),
        (Outcome::Exited { status: 0 }, _) => "allowed".into(),
        (Outcome::Exited { status }, _) => format!("status {status}"),
        (Outcome::Stopped { limit }, _) => format!("over {limit}"),
        (Outcome::Trapped(_), _) => "trapped".into(),
        (Outcome::Cancelled, _) => "cancelled".into(),
    }
}

fn differs(text: &mut String, difference: &Difference, paint: Painter) {
    let Difference {
        member,
        expected,
        actual,
    } = difference;
    if difference.is_budget() {
        let _ = writeln!(
            text,
            "{INDENT}{member}: {expected} is allowed, {actual} was used"
        );
        return;
    }
    if difference.is_final() {
        let fault = actual.as_text().unwrap_or_default();
        let _ = writeln!(text, "{INDENT}{}", paint.bad(&neutral::line(&fault)));
        return;
    }
    if expected.is_number() {
        let _ = writeln!(text, "{INDENT}{member}: expected {expected}, got {actual}");
        return;
    }
    let _ = writeln!(
        text,
        "{INDENT}{member} ({}, {}):",
        paint.bad("- expected"),
        paint.ok("+ actual")
    );
    let (expected, actual) = (shown(expected), shown(actual));
    let diff = TextDiff::configure()
        .timeout(DIFF_TIMEOUT)
        .diff_lines(&expected, &actual);
    for (shown, change) in diff.iter_all_changes().enumerate() {
        if shown == SHOWN_MAX_LINES {
            let _ = writeln!(text, "{INDENT}  …");
            break;
        }
        let line = neutral::line(change.value().trim_end_matches('\n'));
        let line = match change.tag() {
            ChangeTag::Equal => format!("  {line}"),
            ChangeTag::Delete => paint.bad(&format!("- {line}")),
            ChangeTag::Insert => paint.ok(&format!("+ {line}")),
        };
        let _ = writeln!(text, "{INDENT}  {line}");
    }
}

/// Shows what stopped the hook, and its stderr unless that is among the differences.
fn explain(text: &mut String, ran: &CaseRun, differences: &[Difference], paint: Painter) {
    if let Outcome::Trapped(trap) = &ran.outcome {
        let _ = writeln!(text, "{INDENT}trapped: {}", neutral::line(&trap.reason));
    }
    if let Outcome::Stopped { limit } = &ran.outcome {
        let _ = writeln!(
            text,
            "{INDENT}stopped at its {limit} limit; `limits` in tenterhook.toml sets it"
        );
    }
    if let Some(hint) = &ran.hint {
        let _ = writeln!(text, "{INDENT}{}", neutral::line(hint));
    }
    if ran.stderr.is_empty() || differences.iter().any(|d| d.member == "stderr") {
        return;
    }
    let _ = writeln!(text, "{INDENT}stderr:");
    for line in ran.stderr.lines().take(SHOWN_MAX_LINES) {
        let _ = writeln!(text, "{INDENT}  {}", paint.dim(&neutral::line(line)));
    }
}

/// Formats a value as lines, each with its newline.
fn shown(value: &Exact) -> String {
    let mut text = match (value, value.as_text()) {
        (_, Some(text)) => text,
        (Exact::List(lines), _) => lines.iter().map(|line| format!("{line}\n")).collect(),
        _ if value.is_null() => "none".to_owned(),
        _ => pretty(&value.to_string()),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paint;

    #[test]
    fn a_large_difference_is_cut_and_the_search_is_bounded() {
        let text =
            |step: u32| -> String { (0..100_000).map(|n| format!("{}\n", n * step)).collect() };
        let difference = Difference {
            member: "stdout",
            expected: text(2).as_str().into(),
            actual: text(3).as_str().into(),
        };
        let mut shown = String::new();
        differs(&mut shown, &difference, paint::stdout());
        assert_eq!(shown.lines().count(), SHOWN_MAX_LINES + 2);
        assert!(shown.ends_with("…\n"), "{shown}");
    }
}
