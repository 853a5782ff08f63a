//! Running executions: distinguished from waiting ones, with their usage so far.

use serde_json::json;
use tenterhook_dispatch::{AccountId, ExecutionFilter, HookId, Outputs, Page, State};

use crate::support::{Yard, event};

#[tokio::test(flavor = "multi_thread")]
async fn running_executions_are_listed_without_waiting_ones() {
    let yard = Yard::new().await;
    let hook = yard.hook("custom.x", "echo begun; sleep 3600\n").await;
    // In one lane: the second execution waits for the first.
    yard.hook("custom.x", "true\n").await;
    let task = yard.send(event("custom.x", json!({}))).await;
    let all = yard
        .dispatcher
        .tasks()
        .get(yard.account, task)
        .await
        .unwrap();
    let first = all.executions[0].clone();
    yard.printed(&first).await;

    let running = ExecutionFilter {
        state: Some(State::Running),
        ..ExecutionFilter::default()
    };
    let of_hook = |hook| ExecutionFilter {
        hook: Some(hook),
        ..running.clone()
    };
    let list = async |account: AccountId, filter: ExecutionFilter| {
        let page = Page::first(10);
        yard.dispatcher
            .executions()
            .list(account, &filter, page, Outputs::Omit)
            .await
            .unwrap()
    };
    let listed = list(yard.account, running.clone()).await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!((listed[0].id, listed[0].state), (first.id, State::Running));
    assert!(listed[0].latest.output.stdout.is_empty());
    let so_far = listed[0].so_far.unwrap();
    assert!(
        so_far.fuel > 0 && so_far.memory_peak_bytes > 0,
        "{so_far:?}"
    );
    assert_eq!(list(yard.account, of_hook(hook.id)).await.len(), 1);
    assert!(
        list(yard.account, of_hook(HookId::generate()))
            .await
            .is_empty()
    );
    let stranger = yard.dispatcher.accounts().create("other").await.unwrap().id;
    assert!(list(stranger, running.clone()).await.is_empty());

    yard.dispatcher
        .tasks()
        .cancel(yard.account, task)
        .await
        .unwrap();
    let ended = yard.end(task).await;
    assert_eq!(ended.executions[0].so_far, None);
    assert!(list(yard.account, running).await.is_empty());
}
