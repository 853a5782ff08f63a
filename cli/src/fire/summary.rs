//! A summary of an event's task, as text.

use std::fmt::Write as _;
use std::time::Duration;

use tenterhook_engine::LogLine;
use tenterhook_wire::{Execution, State, Task};

use crate::execution::{duration, fuel, memory, outcome, short, target, verdict};
use crate::paint::Painter;
use crate::{guest_log, neutral};

/// Lines of an execution's output that are shown.
const LINES: usize = 5;

/// Describes a task and what each of its executions did.
pub(super) fn task(task: &Task, wait: Duration, paint: Painter) -> String {
    let number = task.number;
    let head = format!("task {number} ({})", neutral::line(&task.name));
    let mut summary = match task.allow {
        Some(true) => format!("{head}: {}\n", paint.ok("allowed")),
        Some(false) => format!("{head}: {}\n", paint.bad("denied")),
        None if wait.is_zero() => {
            format!("{head}: accepted; `tenterhook logs --task {number} -f` follows it\n")
        }
        None => format!(
            "{head}: {} after {wait:?}; `tenterhook logs --task {number} -f` follows it\n",
            paint.warn("not finished")
        ),
    };
    for execution in task.executions.iter().flatten() {
        summary += &one(execution, paint);
    }
    if task.executions.as_ref().is_some_and(Vec::is_empty) {
        summary += "no hook runs for this event\n";
    }
    summary
}

fn one(execution: &Execution, paint: Painter) -> String {
    let (head, latest) = (&execution.head, &execution.latest);
    let mut name = head.name.clone();
    let target = target(head);
    if !target.is_empty() {
        name = format!("{name} on {target}");
    }
    let state = head.state.as_str();
    let state = match head.state {
        State::Finished => paint.ok(state),
        State::Failed => paint.bad(state),
        State::Waiting | State::Running | State::Canceled => paint.warn(state),
    };
    let mut summary = format!("  {} {state}", paint.bold(&neutral::line(&name)));
    for more in [outcome(latest), verdict(latest)] {
        if !more.is_empty() {
            summary += &format!(", {}", neutral::line(&more));
        }
    }
    summary += &paint.dim(&format!("  [{}]", short(&head.id)));
    summary.push('\n');
    for warning in &head.warnings {
        let warning = neutral::line(warning);
        summary += &format!("    {}\n", paint.warn(&format!("warning: {warning}")));
    }
    if latest.usage.is_some() {
        let _ = writeln!(
            summary,
            "    {} fuel, {} memory, {}",
            fuel(latest),
            memory(latest),
            duration(latest),
        );
    }
    for (stream, all) in [("stdout", &latest.stdout), ("stderr", &latest.stderr)] {
        let all = all.as_deref().unwrap_or_default();
        for line in all.lines().take(LINES) {
            let line = match LogLine::parse(line) {
                Some(log) if stream == "stderr" => guest_log::draw(&log, paint),
                _ => neutral::line(line),
            };
            let _ = writeln!(summary, "    {} {line}", paint.dim("|"));
        }
        let more = all.lines().count().saturating_sub(LINES);
        if more > 0 {
            let id = short(&head.id);
            let _ = writeln!(
                summary,
                "    {} {more} more lines on {stream}: `tenterhook logs {id}`",
                paint.dim("|")
            );
        }
    }
    summary
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::paint;

    /// A task with these members beside those that every task has.
    fn read(members: Value) -> Task {
        let mut task = json!({
            "id": "t", "number": 7, "state": "FAILED", "started_by": "ci",
            "progress": {"total": 1, "complete": 1}, "cancelled": false, "created_at": "",
        });
        let own = task.as_object_mut().unwrap();
        own.extend(members.as_object().unwrap().clone());
        serde_json::from_str(&task.to_string()).unwrap()
    }

    #[test]
    fn a_task_is_summarized_with_state_verdict_usage_and_first_lines() {
        let summary = task(
            &read(
                json!({"name": "PreFormatDisk", "allow": false, "executions": [{
                    "id": "0198c0de-7a1b-7c3d-8e4f-5a6b7c8d9e0f", "name": "guard", "state": "FAILED",
                    "task": "t", "task_number": 7, "digest": "", "failure_policy": "closed",
                    "dead": false, "created_at": "", "attempt": 1,
                    "server": {"number": 1, "name": "node-1"},
                    "outcome": {"kind": "exited", "status": 1},
                    "verdict": {"allow": false, "reason": "\u{1b}[2Jfull"},
                    "usage": {"fuel": 1_200, "memory_peak_bytes": 65_536, "wall_us": 310},
                    "stdout": "1\n2\n3\n4\n5\n6\n7\n",
                    "stderr": "{\"level\":\"warn\",\"message\":\"odd\",\"percent\":97}\n",
                }]}),
            ),
            Duration::from_secs(1),
            paint::none(),
        );
        let expected = "task 7 (PreFormatDisk): denied\n\
            \x20 guard on node-1 FAILED, exited with status 1, deny: ^[[2Jfull  [5a6b7c8d9e0f]\n\
            \x20   1.2 k fuel, 64 KiB memory, 310 µs\n\
            \x20   | 1\n    | 2\n    | 3\n    | 4\n    | 5\n\
            \x20   | 2 more lines on stdout: `tenterhook logs 5a6b7c8d9e0f`\n\
            \x20   | WARN  odd percent=97\n";
        assert_eq!(summary, expected);
    }

    #[test]
    fn an_unfinished_task_is_shown_with_the_command_that_follows_it() {
        let waiting = read(json!({"name": "custom.x", "state": "WAITING"}));
        let summary = |wait| task(&waiting, Duration::from_secs(wait), paint::none());
        assert!(summary(0).contains("accepted; `tenterhook logs --task 7 -f`"));
        assert!(summary(2).contains("not finished after 2s"));
    }
}
