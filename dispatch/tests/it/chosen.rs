//! Events for which a source runs that their sender has chosen.

use serde_json::json;
use tenterhook_dispatch::{Error, Key, SourceId, State};

use crate::support::{Yard, event, stdout};

#[tokio::test(flavor = "multi_thread")]
async fn a_chosen_source_runs_besides_the_hooks() {
    let yard = Yard::new().await;
    yard.hook("action.host", "echo \"hook $HOOK_PARAM_HOST\"\n")
        .await;
    let plugin = yard
        .source(
            "upgrade",
            "#!/bin/sh\necho \"plug-in $HOOK_PARAM_HOST $HOOK_EVENT\"; cat\n",
        )
        .await;

    let event = event("action.host", json!({"host": "node-1"}));
    let accepted = yard
        .dispatcher
        .events()
        .accept_for(yard.account, "session", event, plugin.id)
        .await
        .unwrap();
    let detail = yard.end(Key::Id(accepted.task.id)).await;

    let said: Vec<_> = detail.executions.iter().map(stdout).collect();
    assert_eq!(
        said,
        [
            "hook node-1\n",
            "plug-in node-1 action.host\n{\"host\":\"node-1\"}"
        ]
    );
    assert_eq!(detail.executions[1].hook, None);
    assert_eq!(detail.executions[1].name, "upgrade");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chosen_source_that_fails_denies_the_event() {
    let yard = Yard::new().await;
    let plugin = yard.source("upgrade", "exit 3\n").await;

    let accepted = yard
        .dispatcher
        .events()
        .accept_for(
            yard.account,
            "session",
            event("action.host", json!({})),
            plugin.id,
        )
        .await
        .unwrap();
    let detail = yard.end(Key::Id(accepted.task.id)).await;

    assert_eq!(detail.task.state, State::Failed);
    let ruling = detail.ruling().unwrap();
    assert!(!ruling.allow);
    assert_eq!(ruling.reasons[0].reason, "the hook exited with status 3");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_runs_its_chosen_source_once() {
    let yard = Yard::new().await;
    let plugin = yard.source("upgrade", "echo once\n").await;
    let event = event("action.pre", json!({}));
    let accept = async || {
        yard.dispatcher
            .events()
            .accept_for(yard.account, "session", event.clone(), plugin.id)
            .await
            .unwrap()
    };

    let (first, second) = (accept().await, accept().await);

    assert!(!first.repeated && second.repeated);
    assert_eq!(first.task.id, second.task.id);
    let detail = yard.end(Key::Id(first.task.id)).await;
    assert_eq!(detail.executions.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_source_or_one_of_another_account_cannot_be_chosen() {
    let yard = Yard::new().await;
    let plugin = yard.source("upgrade", "true\n").await;
    let other = yard.dispatcher.accounts().create("other").await.unwrap().id;
    for (account, source) in [(yard.account, SourceId::generate()), (other, plugin.id)] {
        let refused = yard
            .dispatcher
            .events()
            .accept_for(account, "session", event("action.pre", json!({})), source)
            .await;
        assert!(
            matches!(&refused, Err(Error::NotFound { .. })),
            "{refused:?}"
        );
    }
}
