//! What is refused before a session begins, and how many there may be.

use tenterhook_maintenance::{Error, Settings};
use tenterhook_session::{ActionType, GroupConstraint, Metadata, NewPlan, State};

use crate::support::{Yard, action, new, plan};

/// The field that a plan is refused for.
async fn refused(yard: &Yard, plan: NewPlan) -> String {
    match yard.maintenance.create(yard.account, new(plan)).await {
        Err(Error::Invalid { field, reason }) => {
            assert!(!reason.is_empty());
            field
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_object_is_named_by_its_position_in_the_request() {
    let yard = Yard::new().await;
    assert_eq!(refused(&yard, plan()).await, "hosts", "there is none");
    yard.host("node-1").await;
    yard.instance("vm", "node-1", "blue").await;
    yard.source("z", "true\n").await;

    let with = |change: fn(&mut NewPlan)| {
        let mut plan = plan();
        change(&mut plan);
        refused(&yard, plan)
    };
    assert_eq!(with(|plan| plan.state = "X".into()).await, "state");
    assert_eq!(with(|plan| plan.workflow = "mine".into()).await, "workflow");
    let hosts = with(|plan| plan.hosts = vec!["node-1".into(), "node-2".into()]);
    assert_eq!(hosts.await, "hosts[1]");
    let an_instance = with(|plan| plan.hosts = vec!["vm".into()]);
    assert_eq!(an_instance.await, "hosts[0]");
    // Actions are sorted by name; the place is that in the request.
    let plugins = with(|plan| {
        plan.actions = vec![action("z", ActionType::Pre), action("a", ActionType::Pre)];
    });
    assert_eq!(plugins.await, "actions[1].plugin");
    assert!(yard.maintenance.sessions(yard.account).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_not_fit_into_an_event_is_refused() {
    let yard = Yard::new().await;
    yard.host("node-1").await;
    yard.source("p", "true\n").await;
    let of = |json: String| -> Metadata { json.parse().unwrap() };
    let long = |bytes: usize| of(format!(r#"{{"long":"{}"}}"#, "x".repeat(bytes)));

    let mut large = plan();
    large.metadata = long(40_000);
    let mut upgrade = action("p", ActionType::Pre);
    upgrade.metadata = long(40_000);
    large.actions = vec![upgrade];
    assert_eq!(refused(&yard, large).await, "metadata");

    let deep = |levels| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        of(format!(r#"{{"deep":{open}{close}}}"#))
    };
    let mut plan = plan();
    plan.metadata = deep(110);
    assert_eq!(refused(&yard, plan.clone()).await, "metadata");
    // What it is wrapped in counts too.
    plan.metadata = deep(98);
    assert_eq!(refused(&yard, plan.clone()).await, "metadata");
    plan.metadata = deep(97);
    yard.begin(plan).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_a_maximum_of_sessions_and_a_removed_one_makes_room() {
    let settings = Settings {
        sessions: 2,
        ..Settings::default()
    };
    let yard = Yard::with(settings).await;
    yard.host("node-1").await;
    yard.host("node-2").await;
    let over = |host: &str| NewPlan {
        hosts: vec![host.into()],
        ..plan()
    };
    let first = yard.begin(over("node-1")).await;
    let second = yard.begin(over("node-2")).await;
    assert_eq!(yard.maintenance.sessions(yard.account), [first, second]);

    let third = yard.maintenance.create(yard.account, new(plan())).await;
    assert!(matches!(third, Err(Error::TooMany)), "{third:?}");

    yard.maintenance.delete(yard.account, first).await.unwrap();
    let third = yard.begin(over("node-1")).await;
    assert_eq!(yard.maintenance.sessions(yard.account), [second, third]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_has_not_failed_is_not_resumed() {
    let yard = Yard::new().await;
    yard.host("node-1").await;
    let mut later = plan();
    later.maintenance_at = "2099-01-02 03:04:05".into();
    let id = yard.begin(later).await;
    let resumed = yard.maintenance.resume(yard.account, id, None).await;
    assert!(
        matches!(resumed, Err(Error::NotFailed(State::Maintenance))),
        "{resumed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_constraint_has_an_id_and_short_texts() {
    let yard = Yard::new().await;
    let group = |id: &str, name: &str| GroupConstraint {
        group_id: id.into(),
        project_id: "blue".into(),
        group_name: name.into(),
        anti_affinity_group: true,
        max_instances_per_host: 0,
        max_impacted_members: 1,
        recovery_time: 60,
        resource_mitigation: false,
    };
    for (constraint, field) in [
        (group("", "pair"), "group_id"),
        (group(&"g".repeat(256), "pair"), "group_id"),
        (group("g", "a\u{1b}[2J"), "group_name"),
    ] {
        let refused = yard
            .maintenance
            .put_group_constraint(yard.account, constraint)
            .await;
        assert!(
            matches!(&refused, Err(Error::Invalid { field: told, .. }) if told == field),
            "{refused:?}"
        );
    }
    let good = group(&"g".repeat(255), "pair");
    yard.maintenance
        .put_group_constraint(yard.account, good)
        .await
        .unwrap();
}
