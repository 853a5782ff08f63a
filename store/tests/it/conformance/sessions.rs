//! Maintenance sessions, their steps, and what projects demand.

use tenterhook_dispatch::{Account, AccountId, Noun, Store};
use tenterhook_maintenance::{Error, SessionStore, Stored};
use tenterhook_session::{
    Done, GroupConstraint, Host, InstanceAction, InstanceConstraint, Inventory, Plan, Session,
    State, Step, Timeouts, Workflow,
};
use uuid::Uuid;

use crate::support::{account, at};

/// A store of everything.
pub(crate) trait Whole: Store + SessionStore {}

impl<S: Store + SessionStore> Whole for S {}

async fn tenant(store: &impl Whole, name: &str) -> Account {
    store.insert_account(account(name)).await.unwrap()
}

fn inventory(hosts: &[String]) -> Inventory {
    let hosts = hosts.iter().cloned();
    Inventory {
        hosts: hosts.map(|host| (host, Host::default())).collect(),
        ..Inventory::default()
    }
}

/// A session over a host of its own.
fn stored(account: AccountId, seconds: i64) -> Stored {
    stored_over(account, seconds, &[&format!("node-ä{seconds}")])
}

fn stored_over(account: AccountId, seconds: i64, hosts: &[&str]) -> Stored {
    let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let inventory = inventory(&hosts);
    let plan = Plan {
        hosts,
        state: State::Maintenance,
        maintenance_at: at(60),
        workflow: Workflow::Source("mine".into()),
        metadata: r#"{"release":"ö","build": 1.10,"far":1e400,"cut":"\ud83d"}"#
            .parse()
            .unwrap(),
        download: vec!["https://sw.example/a".into()],
        actions: Vec::new(),
    };
    Stored {
        account,
        session: Session::new(Uuid::now_v7(), plan, &inventory, at(seconds)),
        created_by: "ada".into(),
        base_url: "http://10.0.0.5:8080".into(),
        created_at: at(seconds),
    }
}

fn step(serial: u64) -> Step {
    Step {
        serial,
        at: at(1),
        state: State::Maintenance,
        what: "action".into(),
        host: Some("node-ä".into()),
        project: None,
        plugin: Some("upgrade".into()),
        ok: serial.is_multiple_of(2),
        result: format!("said {serial}"),
        remedy: Some("try again".into()),
        task: Some(Uuid::from_u128(serial.into())),
    }
}

/// Keeps a session, with no bound that matters.
async fn keep(store: &impl Whole, stored: &Stored) {
    store
        .insert_session(stored.clone(), Vec::new(), 9)
        .await
        .unwrap();
}

/// The session a little later: its first job is done.
fn later(session: &Session) -> Session {
    let mut later = session.clone();
    let inventory = inventory(&session.plan().hosts);
    let job = later.advance(&inventory, &Timeouts::default(), at(2));
    let done = Done::Well {
        message: "fine".into(),
        task: None,
    };
    later.finish(&job.key, done, at(3));
    later.take_steps();
    assert_ne!(&later, session);
    later
}

pub(crate) async fn a_session_is_kept_whole_and_in_its_latest_state(store: &impl Whole) {
    let tenant = tenant(store, "acme").await;
    let mut first = stored(tenant.id, 5);
    first.session.take_steps();
    let mut second = stored(tenant.id, 4);
    second.session.take_steps();
    keep(store, &first).await;
    keep(store, &second).await;
    // The one that was created first is listed first, whenever it was stored.
    assert_eq!(
        store.sessions().await.unwrap(),
        [second.clone(), first.clone()]
    );

    first.session = later(&first.session);
    store
        .update_session(tenant.id, first.session.clone(), Vec::new())
        .await
        .unwrap();
    assert_eq!(store.sessions().await.unwrap(), [second, first]);
}

pub(crate) async fn steps_are_kept_in_their_order_with_the_session(store: &impl Whole) {
    let tenant = tenant(store, "acme").await;
    let stored = stored(tenant.id, 5);
    let id = stored.session.id();
    store
        .insert_session(stored.clone(), vec![step(1), step(2)], 9)
        .await
        .unwrap();
    store
        .update_session(
            tenant.id,
            stored.session.clone(),
            (3..=12).map(step).collect(),
        )
        .await
        .unwrap();
    // That commit was not acknowledged: the same steps come again.
    store
        .update_session(tenant.id, stored.session.clone(), vec![step(12), step(13)])
        .await
        .unwrap();
    let steps: Vec<_> = (1..=13).map(step).collect();
    assert_eq!(store.steps(tenant.id, id).await.unwrap(), steps);
}

pub(crate) async fn the_oldest_of_too_many_steps_are_forgotten(store: &impl Whole) {
    let tenant = tenant(store, "acme").await;
    let stored = stored(tenant.id, 5);
    let id = stored.session.id();
    store
        .insert_session(stored.clone(), (1..=4_999).map(step).collect(), 9)
        .await
        .unwrap();
    store
        .update_session(
            tenant.id,
            stored.session,
            (5_000..=5_003).map(step).collect(),
        )
        .await
        .unwrap();
    let steps = store.steps(tenant.id, id).await.unwrap();
    assert_eq!(steps.len(), 5_000);
    assert_eq!((steps[0].serial, steps[4_999].serial), (4, 5_003));
}

pub(crate) async fn an_account_has_no_more_sessions_than_it_may(store: &impl Whole) {
    let (acme, other) = (tenant(store, "acme").await, tenant(store, "other").await);
    let first = stored(acme.id, 1);
    for stored in [&first, &stored(acme.id, 2)] {
        store
            .insert_session(stored.clone(), vec![step(1)], 2)
            .await
            .unwrap();
    }
    let third = stored(acme.id, 3);
    let refused = store.insert_session(third.clone(), vec![step(1)], 2).await;
    assert!(matches!(refused, Err(Error::TooMany)), "{refused:?}");
    assert!(
        store
            .steps(acme.id, third.session.id())
            .await
            .unwrap()
            .is_empty()
    );
    // Another account's do not count, and a place that was left can be taken.
    keep(store, &stored(other.id, 4)).await;
    store
        .delete_session(acme.id, first.session.id())
        .await
        .unwrap();
    store.insert_session(third, vec![step(1)], 2).await.unwrap();
    assert_eq!(store.sessions().await.unwrap().len(), 3);
}

/// The session after its first job was denied.
fn failed(session: &Session) -> Session {
    let mut failed = session.clone();
    let inventory = inventory(&session.plan().hosts);
    let job = failed.advance(&inventory, &Timeouts::default(), at(2));
    let done = Done::Badly {
        reason: "change freeze".into(),
        task: None,
    };
    failed.finish(&job.key, done, at(3));
    failed.take_steps();
    assert_eq!(failed.state(), State::MaintenanceFailed);
    failed
}

pub(crate) async fn a_host_belongs_to_one_unfinished_session(store: &impl Whole) {
    let (acme, other) = (tenant(store, "acme").await, tenant(store, "other").await);
    let first = stored_over(acme.id, 1, &["a", "ö \"b\""]);
    let second = stored_over(acme.id, 2, &["c", "ö \"b\"", "a"]);
    let id = first.session.id();
    keep(store, &first).await;
    let refused = store.insert_session(second.clone(), vec![step(1)], 9);
    assert_taken(refused.await, "ö \"b\"", id);
    let none = store.steps(acme.id, second.session.id()).await.unwrap();
    assert!(none.is_empty(), "{none:?}");
    keep(store, &stored_over(other.id, 3, &["a"])).await;
    keep(store, &stored_over(acme.id, 4, &["b"])).await;

    // A session that has failed gives its hosts up, and has to get them back.
    let update = |session: Session| store.update_session(acme.id, session, Vec::new());
    update(failed(&first.session)).await.unwrap();
    keep(store, &second).await;
    let mut resumed = failed(&first.session);
    resumed.resume(None, at(4)).unwrap();
    resumed.take_steps();
    assert_taken(update(resumed.clone()).await, "a", second.session.id());
    let kept = store.sessions().await.unwrap();
    let kept = kept.into_iter().find(|kept| kept.session.id() == id);
    assert_eq!(kept.unwrap().session, failed(&first.session));

    store
        .delete_session(acme.id, second.session.id())
        .await
        .unwrap();
    update(resumed.clone()).await.unwrap();
    // It has them already.
    update(later(&resumed)).await.unwrap();
    let refused = store.insert_session(second, Vec::new(), 9);
    assert_taken(refused.await, "ö \"b\"", id);
}

#[track_caller]
fn assert_taken(result: Result<(), Error>, host: &str, by: Uuid) {
    assert!(
        matches!(&result, Err(Error::HostTaken { host: taken, session })
            if taken == host && *session == by),
        "{result:?}"
    );
}

pub(crate) async fn a_session_is_removed_with_its_steps(store: &impl Whole) {
    let tenant = tenant(store, "acme").await;
    let stored = stored(tenant.id, 5);
    let id = stored.session.id();
    store
        .insert_session(stored.clone(), vec![step(1)], 9)
        .await
        .unwrap();
    store.delete_session(tenant.id, id).await.unwrap();

    assert!(store.sessions().await.unwrap().is_empty());
    assert!(store.steps(tenant.id, id).await.unwrap().is_empty());
    for gone in [
        store.delete_session(tenant.id, id).await,
        store
            .update_session(tenant.id, stored.session, vec![step(2)])
            .await,
    ] {
        assert!(
            matches!(gone, Err(Error::NoSession(gone)) if gone == id),
            "{gone:?}"
        );
    }
    assert!(store.steps(tenant.id, id).await.unwrap().is_empty());
}

pub(crate) fn for_instance(id: &str) -> InstanceConstraint {
    InstanceConstraint {
        instance_id: id.into(),
        project_id: "blue".into(),
        group_id: "g".into(),
        instance_name: "vm ä".into(),
        max_interruption_time: 120,
        migration_type: InstanceAction::LiveMigrate,
        resource_mitigation: true,
        lead_time: 40,
    }
}

pub(crate) fn for_group(id: &str) -> GroupConstraint {
    GroupConstraint {
        group_id: id.into(),
        project_id: "blue".into(),
        group_name: "pair".into(),
        anti_affinity_group: true,
        max_instances_per_host: 0,
        max_impacted_members: 1,
        recovery_time: 60,
        resource_mitigation: false,
    }
}

pub(crate) async fn constraints_are_kept_in_place_of_what_was_before(store: &impl Whole) {
    let tenant = tenant(store, "acme").await.id;
    let (b, mut a) = (for_instance("b"), for_instance("a"));
    for constraint in [&b, &a] {
        store
            .put_instance_constraint(tenant, constraint.clone())
            .await
            .unwrap();
    }
    a.lead_time = 7;
    store
        .put_instance_constraint(tenant, a.clone())
        .await
        .unwrap();
    // Instances and groups may have the same ids.
    let mut group = for_group("a");
    store
        .put_group_constraint(tenant, group.clone())
        .await
        .unwrap();
    group.max_instances_per_host = 3;
    store
        .put_group_constraint(tenant, group.clone())
        .await
        .unwrap();
    assert_eq!(
        store.constraints(tenant).await.unwrap(),
        (vec![a, b.clone()], vec![group.clone()])
    );

    store
        .delete_instance_constraint(tenant, "a".into())
        .await
        .unwrap();
    assert_eq!(
        store.constraints(tenant).await.unwrap(),
        (vec![b], vec![group])
    );
    store
        .delete_group_constraint(tenant, "a".into())
        .await
        .unwrap();
    for gone in [
        store.delete_instance_constraint(tenant, "a".into()).await,
        store.delete_group_constraint(tenant, "a".into()).await,
    ] {
        assert!(
            matches!(&gone, Err(Error::NoConstraint(id)) if id == "a"),
            "{gone:?}"
        );
    }
}

pub(crate) async fn sessions_and_constraints_are_kept_apart_between_accounts(store: &impl Whole) {
    let (acme, other) = (tenant(store, "acme").await, tenant(store, "other").await);
    let mine = stored(acme.id, 5);
    let id = mine.session.id();
    store
        .insert_session(mine.clone(), vec![step(1)], 9)
        .await
        .unwrap();
    store
        .put_instance_constraint(acme.id, for_instance("a"))
        .await
        .unwrap();

    let taken = [
        store.delete_session(other.id, id).await,
        store
            .update_session(other.id, later(&mine.session), vec![step(2)])
            .await,
        store.delete_instance_constraint(other.id, "a".into()).await,
    ];
    assert!(taken.iter().all(Result::is_err), "{taken:?}");
    assert!(store.steps(other.id, id).await.unwrap().is_empty());
    assert_eq!(
        store.constraints(other.id).await.unwrap(),
        (Vec::new(), Vec::new())
    );
    assert_eq!(store.steps(acme.id, id).await.unwrap(), [step(1)]);
    assert_eq!(store.sessions().await.unwrap()[0].account, acme.id);

    let nobody = store.constraints(AccountId::generate()).await;
    assert!(
        matches!(
            &nobody,
            Err(Error::Dispatch(tenterhook_dispatch::Error::NotFound {
                what: Noun::Account,
                ..
            }))
        ),
        "{nobody:?}"
    );
}
