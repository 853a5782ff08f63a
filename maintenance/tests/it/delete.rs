//! Removing sessions, whatever they are doing.

use tenterhook_dispatch::{ExecutionFilter, Outputs, Page, State as Run};
use tenterhook_maintenance::Error;
use tenterhook_session::{ActionType, NewPlan};

use crate::support::{Looks, Yard, ack, action, plan};

#[tokio::test(flavor = "multi_thread")]
async fn a_running_session_is_removed_and_its_plug_in_cancelled() {
    let yard = Yard::new().await;
    yard.host("node-1").await;
    yard.source("slow", "echo begun; while :; do sleep 1; done\n")
        .await;
    let id = yard
        .begin(NewPlan {
            actions: vec![action("slow", ActionType::Pre)],
            ..plan()
        })
        .await;
    let running = async || {
        let filter = ExecutionFilter {
            state: Some(Run::Running),
            ..ExecutionFilter::default()
        };
        yard.dispatcher
            .executions()
            .list(yard.account, &filter, Page::first(9), Outputs::Omit)
            .await
            .unwrap()
    };
    let mut found = running().await;
    let mut looks = Looks::default();
    while found.is_empty() {
        looks.rest().await;
        found = running().await;
    }

    yard.maintenance.delete(yard.account, id).await.unwrap();

    let mut looks = Looks::default();
    let ended = loop {
        let execution = yard
            .dispatcher
            .executions()
            .get(yard.account, found[0].id)
            .await
            .unwrap();
        if execution.state.is_over() {
            break execution;
        }
        looks.rest().await;
    };
    assert_eq!(ended.state, Run::Canceled);
    assert!(yard.maintenance.sessions(yard.account).is_empty());
    for gone in [
        yard.maintenance.delete(yard.account, id).await.err(),
        yard.maintenance.session(yard.account, id).await.err(),
        yard.maintenance.steps(yard.account, id).await.err(),
        yard.maintenance.resume(yard.account, id, None).await.err(),
        yard.maintenance
            .instances(yard.account, id, "blue")
            .await
            .err(),
        yard.maintenance
            .reply(
                yard.account,
                id,
                "blue",
                ack(tenterhook_session::State::Maintenance, &[]),
            )
            .await
            .err(),
    ] {
        assert!(
            matches!(gone, Some(Error::NoSession(gone)) if gone == id),
            "{gone:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_concurrent_removals_of_a_session_one_succeeds() {
    let yard = Yard::new().await;
    yard.host("node-1").await;
    for _ in 0..10 {
        let id = yard.begin(plan()).await;
        let (first, second) = tokio::join!(
            yard.maintenance.delete(yard.account, id),
            yard.maintenance.delete(yard.account, id)
        );
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    }
}
