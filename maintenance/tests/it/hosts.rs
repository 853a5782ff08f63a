//! A host belongs to one running session at a time.

use std::collections::BTreeSet;

use tenterhook_maintenance::Error;
use tenterhook_session::{NewPlan, State};
use uuid::Uuid;

use crate::support::{Looks, Yard, new, plan};

const DENY: &str = "echo '{\"allow\": false, \"reason\": \"change freeze\"}' > /verdict.json\n";

/// A session over these hosts, which waits until long after the test.
fn over(hosts: &[&str]) -> NewPlan {
    NewPlan {
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        maintenance_at: "2099-01-02 03:04:05".into(),
        ..plan()
    }
}

async fn yard() -> Yard {
    let yard = Yard::new().await;
    for host in ["node-1", "node-2", "node-3"] {
        yard.host(host).await;
    }
    yard
}

/// Asserts that the host belongs to the session.
#[track_caller]
fn assert_taken<T: std::fmt::Debug>(result: Result<T, Error>, host: &str, session: Uuid) {
    assert!(
        matches!(&result, Err(Error::HostTaken { host: taken, session: by })
            if taken == host && *by == session),
        "{result:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_session_over_a_host_is_refused_until_the_first_is_removed() {
    let yard = yard().await;
    let create = |plan: NewPlan| yard.maintenance.create(yard.account, new(plan));
    // Named hosts first, then all of them, which an empty list means.
    let first = yard.begin(over(&["node-2"])).await;
    assert_taken(create(over(&["node-3", "node-2"])).await, "node-2", first);
    assert_taken(create(over(&[])).await, "node-2", first);
    let other = yard.begin(over(&["node-3", "node-1"])).await;
    assert_eq!(yard.maintenance.sessions(yard.account), [first, other]);
    for id in [first, other] {
        yard.maintenance.delete(yard.account, id).await.unwrap();
    }
    // And the other way round.
    let all = yard.begin(over(&[])).await;
    assert_taken(create(over(&["node-3"])).await, "node-3", all);
    assert_taken(create(over(&[])).await, "node-1", all);
    yard.maintenance.delete(yard.account, all).await.unwrap();
    yard.begin(over(&["node-3"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sessions_created_concurrently_over_a_host_one_gets_it() {
    let yard = yard().await;
    for _ in 0..10 {
        let results = created_at_once(&yard, 8).await;
        let created: Vec<_> = results.iter().filter_map(|one| one.as_ref().ok()).collect();
        assert_eq!(created.len(), 1, "{results:?}");
        let id = *created[0];
        for refused in results.into_iter().filter(Result::is_err) {
            assert_taken(refused, "node-1", id);
        }
        assert_eq!(yard.maintenance.sessions(yard.account), [id]);
        yard.maintenance.delete(yard.account, id).await.unwrap();
    }
}

/// The results of so many calls at the same time, every other one over all hosts.
async fn created_at_once(yard: &Yard, count: usize) -> Vec<Result<Uuid, Error>> {
    let mut calls = tokio::task::JoinSet::new();
    for call in 0..count {
        let (maintenance, account) = (yard.maintenance.clone(), yard.account);
        let hosts: &[&str] = if call % 2 == 0 { &["node-1"] } else { &[] };
        let new = new(over(hosts));
        calls.spawn(async move {
            let created = maintenance.create(account, new).await;
            created.map(|created| created.session.id())
        });
    }
    calls.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_taken_after_a_restart_too() {
    let yard = yard().await;
    let first = yard.begin(over(&["node-2"])).await;
    let yard = yard.restarted(|store| store).await;
    let second = yard.maintenance.create(yard.account, new(over(&[]))).await;
    assert_taken(second, "node-2", first);
    yard.maintenance.delete(yard.account, first).await.unwrap();
    yard.begin(over(&[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_done_has_no_hosts() {
    let yard = yard().await;
    let first = yard.begin(plan()).await;
    assert_eq!(yard.play(first).await, State::MaintenanceDone);
    let second = yard.begin(plan()).await;
    assert_eq!(yard.play(second).await, State::MaintenanceDone);
    assert_eq!(yard.maintenance.sessions(yard.account), [first, second]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_session_releases_its_hosts_and_is_resumed_only_when_they_are_free() {
    let yard = yard().await;
    yard.hook(yard.account, "session.START_MAINTENANCE", DENY)
        .await;
    let failed = yard.begin(plan()).await;
    yard.until(failed, State::MaintenanceFailed).await;
    let second = yard.begin(over(&["node-3"])).await;

    for at in [None, Some(State::Maintenance)] {
        let resumed = yard.maintenance.resume(yard.account, failed, at).await;
        assert_taken(resumed, "node-3", second);
        let state = yard.session(failed).await.session.state();
        assert_eq!(state, State::MaintenanceFailed, "nothing has changed");
    }
    yard.maintenance.delete(yard.account, second).await.unwrap();
    yard.maintenance
        .resume(yard.account, failed, Some(State::MaintenanceComplete))
        .await
        .unwrap();
    yard.until(failed, State::MaintenanceDone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resumed_session_has_its_hosts_again() {
    let yard = yard().await;
    yard.instance("vm", "node-1", "blue").await;
    yard.hook(yard.account, "session.START_MAINTENANCE", DENY)
        .await;
    let mut begins_late = plan();
    begins_late.state = "START_MAINTENANCE".into();
    let id = yard.begin(begins_late).await;
    yard.until(id, State::MaintenanceFailed).await;
    yard.maintenance
        .resume(yard.account, id, Some(State::Maintenance))
        .await
        .unwrap();
    // It waits for the reply of `blue`.
    let mut looks = Looks::default();
    while yard.session(id).await.session.projects().is_empty() {
        looks.rest().await;
    }
    let second = yard
        .maintenance
        .create(yard.account, new(over(&["node-2"])))
        .await;
    assert_taken(second, "node-2", id);
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_of_the_same_name_in_two_accounts_are_two_hosts() {
    let yard = yard().await;
    let blue = yard.dispatcher.accounts().create("blue").await.unwrap().id;
    let server = tenterhook_dispatch::NewServer {
        name: "node-1".into(),
        ..Default::default()
    };
    yard.dispatcher
        .servers()
        .create(blue, server)
        .await
        .unwrap();
    let mut sessions = BTreeSet::new();
    for account in [yard.account, blue] {
        let created = yard
            .maintenance
            .create(account, new(over(&["node-1"])))
            .await;
        sessions.insert(created.unwrap().session.id());
    }
    assert_eq!(sessions.len(), 2);
}
