//! What a new start finds from the run before: nothing accepted is lost.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tenterhook_dispatch::{
    Error, EventData, EventKey, ExecutionId, Hook, HookRef, Key, NewEvent, NewExecution, NewTask,
    NodeId, ReceivedEvent, Recipe, State, TaskId,
};

use crate::support::{LONG, Yard, event, stdout};

/// Writes down a task for the account's first hook, as another run of the
/// server would have: owned by that run, or by none.
pub(crate) async fn stored(yard: &Yard, owner: Option<NodeId>) -> TaskId {
    let hook = first_hook(yard).await;
    let event = event(hook.event.as_str(), json!({}));
    stored_event(yard, owner, event.try_into().unwrap()).await
}

async fn first_hook(yard: &Yard) -> Hook {
    let mut hooks = yard.dispatcher.hooks().list(yard.account).await.unwrap();
    hooks.swap_remove(0)
}

async fn stored_event(yard: &Yard, owner: Option<NodeId>, received: ReceivedEvent) -> TaskId {
    let hook = first_hook(yard).await;
    let event = received.attributes();
    let source = yard
        .dispatcher
        .sources()
        .get(yard.account, Key::Id(hook.source))
        .await
        .unwrap();
    let id = TaskId::generate();
    let task = NewTask {
        id,
        account: yard.account,
        name: event.kind.clone(),
        started_by: "tester".into(),
        object: None,
        event: Some(NewEvent {
            key: EventKey {
                source: event.source.clone(),
                id: event.id.clone(),
                kind: event.kind.clone(),
            },
            content: None,
            json: received.to_json().into(),
        }),
        created_at: source.created_at,
        owner,
        executions: vec![NewExecution {
            id: ExecutionId::generate(),
            hook: Some(HookRef {
                id: hook.id,
                number: hook.number,
            }),
            recipe: Arc::new(Recipe::of(&hook, &source)),
            server: None,
            container: None,
            lane: 0,
        }],
        program: None,
        warnings: Vec::new(),
    };
    yard.store.insert_tasks(vec![task]).await.unwrap();
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_had_begun_is_run_again_with_its_attempt_raised() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo $HOOK_EVENT $HOOK_ATTEMPT\n")
        .await;
    let task = stored(&yard, Some(NodeId::generate())).await;

    let restarted = yard.restarted().await;

    let detail = restarted
        .tasks()
        .wait(yard.account, Key::Id(task), LONG)
        .await
        .unwrap();
    assert_eq!(detail.task.state, State::Finished);
    assert_eq!(stdout(&detail.executions[0]), "custom.x 2\n");
    assert_eq!(detail.executions[0].latest.attempt, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_was_stored_is_given_to_hooks_byte_for_byte() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "cat; cat /event.json >&2; echo $HOOK_PARAM_A\n")
        .await;
    let data =
        "\r\n {\"z\" : 12345678901234567890123, \"a\":1.10,\"far\":1e400,\"s\":\"\\ud83d\"} \n";
    let attributes = tenterhook_sdk::Event::new("1", "/t", "custom.x", None);
    let data_of = EventData::json(data.into()).unwrap();
    let event = ReceivedEvent::new(attributes, Some(data_of)).unwrap();
    let task = stored_event(&yard, None, event).await;

    let restarted = yard.restarted().await;

    let detail = restarted
        .tasks()
        .wait(yard.account, Key::Id(task), LONG)
        .await
        .unwrap();
    assert_eq!(stdout(&detail.executions[0]), format!("{data}1.10\n"));
    let file = std::str::from_utf8(&detail.executions[0].latest.output.stderr).unwrap();
    assert!(file.ends_with(&format!("\"data\":{data}}}")), "{file}");
}

#[tokio::test(flavor = "multi_thread")]
async fn executions_that_had_not_started_run_for_the_first_time() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo $HOOK_ATTEMPT\n").await;
    let task = stored(&yard, None).await;

    let restarted = yard.restarted().await;

    let detail = restarted
        .tasks()
        .wait(yard.account, Key::Id(task), LONG)
        .await
        .unwrap();
    assert_eq!(stdout(&detail.executions[0]), "1\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_dispatcher_accepts_nothing_and_leaves_its_work_to_the_next() {
    let yard = Yard::new().await;
    // The second attempt ends; the first would go on for an hour.
    yard.hook(
        "custom.x",
        "echo begun; [ $HOOK_ATTEMPT = 1 ] && sleep 3600; echo done\n",
    )
    .await;
    let task = yard.send(event("custom.x", json!({}))).await;
    let execution = yard
        .dispatcher
        .tasks()
        .get(yard.account, task)
        .await
        .unwrap()
        .executions[0]
        .clone();
    yard.printed(&execution).await;

    yard.dispatcher.drain(Duration::ZERO).await;

    let refused = yard
        .dispatcher
        .events()
        .accept(yard.account, "tester", vec![event("custom.x", json!({}))])
        .await;
    assert!(matches!(refused, Err(Error::Stopping)));
    let restarted = yard.restarted().await;
    let detail = restarted
        .tasks()
        .wait(yard.account, task, LONG)
        .await
        .unwrap();
    assert_eq!(detail.task.state, State::Finished);
    assert_eq!(stdout(&detail.executions[0]), "begun\ndone\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_lets_running_executions_finish() {
    let yard = Yard::new().await;
    yard.hook("custom.x", "echo done\n").await;
    let tasks: Vec<_> = {
        let events = (0..20).map(|_| event("custom.x", json!({}))).collect();
        yard.dispatcher
            .events()
            .accept(yard.account, "tester", events)
            .await
            .unwrap()
    };

    yard.dispatcher.drain(LONG).await;

    let restarted = yard.restarted().await;
    for accepted in tasks {
        let detail = restarted
            .tasks()
            .wait(yard.account, Key::Id(accepted.task.id), LONG)
            .await
            .unwrap();
        assert_eq!(detail.task.state, State::Finished);
        assert_eq!(detail.executions[0].latest.attempt, 1);
    }
}
