//! How the result of a run differs from its expectation.

use serde::Serialize;
use tenterhook_engine::{LogLine, Report};

use super::exact::Exact;
use super::expect::Expected;
use crate::run::Ending;

/// The member for a verdict that cannot be used, which cannot be expected.
const FAULT: &str = "verdict_fault";

/// A member that is not as expected.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Difference {
    /// The member of the expectation.
    pub(super) member: &'static str,
    pub(super) expected: Exact,
    pub(super) actual: Exact,
}

impl Difference {
    /// Whether a budget was exceeded.
    pub(super) fn is_budget(&self) -> bool {
        self.member.starts_with("max_")
    }

    /// Whether no change of the expectation can resolve it.
    pub(super) fn is_final(&self) -> bool {
        self.is_budget() || self.member == FAULT
    }
}

/// The status that `tenterhook run` would end with.
pub(super) fn status(report: &Report) -> u8 {
    Ending::Program(report.outcome.clone()).status()
}

/// The verdict as JSON.
pub(super) fn verdict(report: &Report) -> Option<Exact> {
    report.verdict.as_ref().map(Exact::written)
}

/// Output as text.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The structured log lines.
pub(super) fn logs(report: &Report) -> Vec<Exact> {
    let line = |line: &str| {
        let log = LogLine::parse(line)?;
        Some(Exact::written(&log))
    };
    text(&report.stderr).lines().filter_map(line).collect()
}

/// Lists what differs.
pub(super) fn differences(expected: &Expected, report: &Report) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut same = |member, expected: Exact, actual: Exact| {
        if expected != actual {
            found.push(Difference {
                member,
                expected,
                actual,
            });
        }
    };
    let number = |status: u8| Exact::from(u64::from(status));
    same("status", number(expected.status), number(status(report)));
    if let Some(fault) = &report.verdict_fault {
        same(FAULT, Exact::null(), fault.as_str().into());
    } else if let Some(wanted) = &expected.verdict {
        let actual = verdict(report).unwrap_or_else(Exact::null);
        same("verdict", wanted.clone(), actual);
    }
    for (member, wanted, printed) in [
        ("stdout", &expected.stdout, &report.stdout),
        ("stderr", &expected.stderr, &report.stderr),
    ] {
        if let Some(wanted) = wanted {
            same(
                member,
                wanted.as_str().into(),
                text(printed).as_str().into(),
            );
        }
    }
    if let Some(wanted) = &expected.logs {
        let actual = logs(report);
        if !come_in_order(wanted, &actual) {
            same("logs", Exact::List(wanted.clone()), Exact::List(actual));
        }
    }
    let usage = &report.usage;
    for (member, most, used) in [
        ("max_fuel", expected.max_fuel, usage.fuel),
        (
            "max_memory_bytes",
            expected.max_memory_bytes,
            usage.memory_peak_bytes,
        ),
    ] {
        if let Some(most) = most.filter(|most| used > *most) {
            same(member, most.into(), used.into());
        }
    }
    found
}

/// Whether the wanted lines match actual ones in this order.
fn come_in_order(wanted: &[Exact], actual: &[Exact]) -> bool {
    let mut rest = actual.iter();
    wanted
        .iter()
        .all(|wanted| rest.any(|actual| meets(wanted, actual)))
}

/// Whether `actual` is `wanted`, or an object with more members than it.
fn meets(wanted: &Exact, actual: &Exact) -> bool {
    match (wanted, actual) {
        (Exact::Object(wanted), Exact::Object(actual)) => wanted
            .iter()
            .all(|(name, wanted)| actual.get(name).is_some_and(|actual| meets(wanted, actual))),
        _ => wanted == actual,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tenterhook_engine::{Limit, Outcome, Usage, Verdict};

    use super::*;

    fn report() -> Report {
        Report {
            outcome: Outcome::Exited { status: 1 },
            usage: Usage {
                fuel: 100,
                memory_peak_bytes: 65_536,
                ..Usage::default()
            },
            stdout: b"no\n".to_vec(),
            stderr: b"{\"level\":\"info\",\"message\":\"a\",\"n\":1}\nplain\n{\"level\":\"warn\",\"message\":\"b\"}\n".to_vec(),
            files_digest: None,
            dropped_bytes: 0,
            verdict_fault: None,
            awake_us: 0,
            verdict: Some(Verdict::deny("full")),
        }
    }

    fn members(expected: Value) -> Vec<&'static str> {
        let expected: Expected = serde_json::from_value(expected).unwrap();
        let found = differences(&expected, &report());
        found.iter().map(|difference| difference.member).collect()
    }

    #[test]
    fn absent_expectations_are_not_compared_except_the_status() {
        assert_eq!(members(json!({"status": 1})), [""; 0]);
        assert_eq!(members(json!({})), ["status"]);
    }

    #[test]
    fn a_verdict_is_compared_as_a_whole() {
        let verdict = |verdict| members(json!({"status": 1, "verdict": verdict}));
        assert_eq!(verdict(json!({"allow": false, "reason": "full"})), [""; 0]);
        assert_eq!(verdict(json!({"allow": false})), ["verdict"]);
        assert_eq!(verdict(Value::Null), ["verdict"]);
    }

    #[test]
    fn log_lines_come_in_order_with_at_least_these_members() {
        let logs = |logs| members(json!({"status": 1, "logs": logs}));
        assert_eq!(logs(json!([])), [""; 0]);
        assert_eq!(logs(json!([{"message": "a"}, {"level": "warn"}])), [""; 0]);
        assert_eq!(logs(json!([{"level": "warn"}, {"message": "a"}])), ["logs"]);
        assert_eq!(logs(json!([{"message": "a", "n": 2}])), ["logs"]);
        assert_eq!(logs(json!([{"message": "a"}, {"message": "a"}])), ["logs"]);
    }

    #[test]
    fn budgets_are_upper_bounds() {
        let budget = |fuel, memory| {
            members(json!({"status": 1, "max_fuel": fuel, "max_memory_bytes": memory}))
        };
        assert_eq!(budget(100, 65_536), [""; 0]);
        assert_eq!(budget(99, 65_535), ["max_fuel", "max_memory_bytes"]);
    }

    #[test]
    fn an_unusable_verdict_is_never_expected() {
        let fault = Report {
            verdict: None,
            verdict_fault: Some("/verdict.json is no JSON".into()),
            ..report()
        };
        let first = Expected::of(&fault, None);
        let left = differences(&first, &fault);
        assert!(left.len() == 1 && left[0].is_final(), "{left:?}");
    }

    #[test]
    fn a_stopped_run_has_the_status_of_run() {
        let stopped = Report {
            outcome: Outcome::Stopped { limit: Limit::Wall },
            ..report()
        };
        assert_eq!(status(&stopped), 124);
    }

    #[test]
    fn written_expectations_are_met_by_the_same_run() {
        let first = Expected::of(&report(), None);
        assert_eq!(differences(&first, &report()), []);
        assert_eq!(first.stdout.as_deref(), Some("no\n"));
        assert_eq!(first.stderr, None);
        let before = json!({"status": 3, "verdict": null, "logs": [], "stderr": "", "max_fuel": 1});
        let before: Expected = serde_json::from_value(before).unwrap();
        let again = Expected::of(&report(), Some(before));
        let left = differences(&again, &report());
        assert!(left.len() == 1 && left[0].is_budget(), "{left:?}");
        assert_eq!(again.stdout, None);
        assert_eq!(again.logs.unwrap().len(), 2);
    }
}
