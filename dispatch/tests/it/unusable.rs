//! An unusable verdict is a failure of the hook, never a silent yes.

use serde_json::json;
use tenterhook_dispatch::{FailurePolicy, RetryPolicy, State};
use tenterhook_engine::Outcome;

use crate::support::{Yard, event};

const UNUSABLE: &str = "echo '{\"allow\":\"false\"}' > /verdict.json\n";
const FAULT: &str = "/verdict.json cannot be used: \
    `allow` must be true or false, not \"false\" (line 1, column 10)";

#[tokio::test(flavor = "multi_thread")]
async fn an_unusable_verdict_denies_unless_the_hook_is_open() {
    let yard = Yard::new().await;
    let closed = yard.hook("PreCrushMapChange", UNUSABLE).await;
    yard.hook_with("PreCrushMapChange", UNUSABLE, |hook| {
        hook.failure_policy = Some(FailurePolicy::Open)
    })
    .await;

    let detail = yard.fire(event("PreCrushMapChange", json!({}))).await;

    assert_eq!(detail.task.state, State::Failed);
    let ruling = detail.ruling().unwrap();
    assert!(!ruling.allow);
    assert_eq!(ruling.reasons.len(), 1);
    assert_eq!(ruling.reasons[0].hook, Some(closed.number));
    assert_eq!(ruling.reasons[0].reason, format!("the hook's {FAULT}"));
    for execution in &detail.executions {
        let kept = yard
            .dispatcher
            .executions()
            .get(yard.account, execution.id)
            .await
            .unwrap();
        assert_eq!(
            (kept.state, kept.latest.outcome, kept.latest.verdict),
            (State::Failed, Some(Outcome::Exited { status: 0 }), None)
        );
        assert_eq!(kept.latest.verdict_fault.as_deref(), Some(FAULT));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_retried_like_any_failure_and_a_valid_verdict_is_accepted() {
    let yard = Yard::new().await;
    let script = "[ $HOOK_ATTEMPT = 1 ] && : > /verdict.json && exit 0\n\
        echo '{\"allow\":true}' > /verdict.json\n";
    yard.hook_with("PreCrushMapChange", script, |hook| {
        hook.retry = RetryPolicy {
            attempts: 3,
            backoff_ms: 1,
            ..RetryPolicy::default()
        };
    })
    .await;

    let detail = yard.fire(event("PreCrushMapChange", json!({}))).await;

    let execution = &detail.executions[0];
    assert_eq!(
        (
            execution.state,
            execution.latest.attempt,
            &execution.latest.verdict_fault
        ),
        (State::Finished, 2, &None)
    );
    assert!(detail.ruling().unwrap().allow);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_the_status_and_the_verdict_are_reported() {
    let yard = Yard::new().await;
    yard.hook("PreCrushMapChange", "mkdir /verdict.json; exit 3\n")
        .await;

    let detail = yard.fire(event("PreCrushMapChange", json!({}))).await;

    assert_eq!(
        detail.ruling().unwrap().reasons[0].reason,
        "the hook exited with status 3, and its /verdict.json cannot be used: it is not a regular file"
    );
}
