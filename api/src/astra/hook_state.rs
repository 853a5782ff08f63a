//! How the hooks of one of Astra's operations went: what its clients know as
//! `hookState`, with a line for each execution that failed.
//!
//! It reports and decides nothing: failures of these hooks are soft.

use tenterhook_dispatch::{FailureKind, HookPointName, RunFailure, TaskDetail};
use tenterhook_wire::{FailedExecution, HookFailure};

use crate::containers;

/// Longest detail, in characters.
const DETAIL_MAX_CHARS: usize = 511;

/// Returns why the hooks of a task have failed; `None` until the task has finished, and for events
/// that are not Astra's.
pub(crate) fn failures(detail: &TaskDetail) -> Option<Vec<HookFailure>> {
    let event = detail.task.event.as_ref()?;
    let is_astras = HookPointName::parse(&event.kind).is_ok_and(|name| name.is_astra());
    if !is_astras {
        return None;
    }
    let summary = detail.summary()?;
    Some(summary.failures.into_iter().map(show).collect())
}

/// The state of an operation whose hooks have failed so.
pub(crate) fn word(failures: &[HookFailure]) -> &'static str {
    match failures {
        [] => "success",
        _ => "failed",
    }
}

fn show(failure: RunFailure) -> HookFailure {
    let (kind, title) = match failure.kind {
        FailureKind::NotRun => ("hook-not-run", "Hook could not be run"),
        FailureKind::TimedOut => ("hook-timeout", "Hook timed out"),
        FailureKind::Limit => ("hook-limit", "Hook reached a limit"),
        FailureKind::Trapped => ("hook-trapped", "Hook trapped"),
        FailureKind::Cancelled => ("hook-cancelled", "Hook was cancelled"),
        FailureKind::Denied => ("hook-denied", "Hook denied the operation"),
        FailureKind::UnusableAnswer => ("hook-answer-unusable", "Hook gave an unusable answer"),
        FailureKind::Exited => ("hook-failed", "Hook failed"),
    };
    let return_code = match failure.status {
        Some(status) => status.to_string(),
        None => "N/A".to_owned(),
    };
    HookFailure {
        kind: kind.to_owned(),
        title: title.to_owned(),
        detail: detail(&failure, &return_code),
        additional_details: FailedExecution {
            execution: failure.execution.to_string(),
            hook: failure.hook.map(|number| number.get()),
            return_code,
            container: failure.container.map(containers::show),
        },
    }
}

/// What happened comes first, so that long names cannot crowd it out.
fn detail(failure: &RunFailure, return_code: &str) -> String {
    let what: String = failure.detail.chars().take(DETAIL_MAX_CHARS / 2).collect();
    let mut detail = format!("return code {return_code}: {} {what}", failure.name);
    if let Some(container) = &failure.container {
        detail += &format!(
            " in container {} of pod {}, namespace {}",
            container.container_name, container.pod_name, container.namespace_name
        );
    }
    detail.chars().take(DETAIL_MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tenterhook_dispatch as dispatch;
    use tenterhook_dispatch::ExecutionId;

    use super::*;

    fn failure(kind: FailureKind, status: Option<u8>) -> RunFailure {
        RunFailure {
            execution: ExecutionId::generate(),
            name: "freeze".into(),
            hook: None,
            kind,
            detail: "did not end well".into(),
            status,
            container: Some(dispatch::Container {
                pod_name: "db-0".into(),
                container_name: "mysql".into(),
                namespace_name: "prod".into(),
                ..dispatch::Container::default()
            }),
        }
    }

    #[test]
    fn an_operation_whose_hooks_succeeded_has_succeeded() {
        assert_eq!(word(&[]), "success");
        let failed = show(failure(FailureKind::Exited, Some(1)));
        assert_eq!(word(&[failed]), "failed");
    }

    #[test]
    fn every_failure_has_a_type_a_title_and_a_return_code() {
        for (kind, status, text, code) in [
            (FailureKind::NotRun, None, "hook-not-run", "N/A"),
            (FailureKind::TimedOut, None, "hook-timeout", "N/A"),
            (FailureKind::Limit, None, "hook-limit", "N/A"),
            (FailureKind::Trapped, None, "hook-trapped", "N/A"),
            (FailureKind::Cancelled, None, "hook-cancelled", "N/A"),
            (FailureKind::Denied, Some(0), "hook-denied", "0"),
            (
                FailureKind::UnusableAnswer,
                Some(0),
                "hook-answer-unusable",
                "0",
            ),
            (FailureKind::Exited, Some(3), "hook-failed", "3"),
        ] {
            let failed = failure(kind, status);
            let id = failed.execution.to_string();
            let printed = serde_json::to_value(show(failed)).unwrap();
            assert_eq!(printed["type"], text);
            let title = printed["title"].as_str().unwrap();
            assert!((1..=40).contains(&title.chars().count()));
            assert_eq!(
                printed["detail"],
                format!(
                    "return code {code}: freeze did not end well in container mysql of pod db-0, namespace prod"
                )
            );
            assert_eq!(
                printed["additionalDetails"],
                json!({"executionID": id, "hook": null, "returnCode": code, "container": {
                    "podName": "db-0", "podLabels": [], "containerImage": "",
                    "containerName": "mysql", "namespaceName": "prod",
                }})
            );
        }
    }

    #[test]
    fn a_detail_is_never_longer_than_astra_allows() {
        let long = RunFailure {
            name: "ä".repeat(255),
            detail: "ö".repeat(2_000),
            ..failure(FailureKind::NotRun, None)
        };
        let detail = show(long).detail;
        assert_eq!(detail.chars().count(), DETAIL_MAX_CHARS);
    }
}
