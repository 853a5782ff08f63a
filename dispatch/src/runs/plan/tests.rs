//! The rules of planning, one by one and at random.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::json;
use tenterhook_engine::{AskedLimits, Digest, Kind};

use super::*;
use crate::clock::now;
use crate::id::{HookId, PrincipalId, ServerId, SourceId};
use crate::registry::hook::{FailurePolicy, Hook};
use crate::registry::recipe::{Recipe, RecipeContent};
use crate::runs::retry::RetryPolicy;

fn name(name: &str) -> HookPointName {
    HookPointName::parse(name).unwrap()
}

fn servers(numbers: impl IntoIterator<Item = i32>) -> Servers {
    numbers
        .into_iter()
        .map(|number| {
            let server = Server {
                id: ServerId::generate(),
                number: Number::new(number),
                name: format!("node-{number}"),
                host: None,
                project: None,
                group: None,
                labels: BTreeMap::new(),
                created_at: now(),
                modified_at: now(),
            };
            (server.number, server)
        })
        .collect()
}

fn bound(number: i32, event: &str, targets: Targets) -> Arc<BoundHook> {
    let content = RecipeContent {
        kind: Kind::Script,
        name: "x".into(),
        args: Vec::new(),
        env: BTreeMap::new(),
        limits: AskedLimits::default(),
        failure_policy: FailurePolicy::Open,
        retry: RetryPolicy::default(),
    };
    let hook = Hook {
        id: HookId::generate(),
        number: Number::new(number),
        name: None,
        description: String::new(),
        managed: false,
        labels: Vec::new(),
        created_by: PrincipalId::SYSTEM,
        modified_by: None,
        values_by: None,
        source: SourceId::generate(),
        event: name(event),
        targets,
        args: Vec::new(),
        env: BTreeMap::new(),
        limits: AskedLimits::default(),
        order: 0,
        enabled: true,
        failure_policy: FailurePolicy::Open,
        retry: RetryPolicy::default(),
        created_at: now(),
        modified_at: now(),
    };
    Arc::new(BoundHook::new(hook, Recipe::new(Digest::of(b""), content)))
}

/// Pairs of server and hook, each in planned order.
fn planned(
    event: &str,
    hooks: &[Arc<BoundHook>],
    servers: &Servers,
    named: Option<i32>,
) -> Vec<(Option<i32>, i32)> {
    let named = named.map(|number| server_ref(&servers[&Number::new(number)]));
    plan(
        &name(event),
        hooks,
        servers,
        named.as_ref(),
        usize::MAX,
        &mut rand::rng(),
    )
    .unwrap()
    .iter()
    .map(|execution| {
        let server = execution.server.as_ref().map(|server| server.number.get());
        (server, execution.hook.unwrap().number.get())
    })
    .collect()
}

fn these(numbers: &[i32]) -> Targets {
    Targets::These(numbers.iter().copied().map(Number::new).collect())
}

#[test]
fn an_event_that_names_its_server_runs_the_hooks_that_cover_it_there() {
    let hooks = [
        bound(1, "PreFormatDisk", Targets::All),
        bound(2, "PreFormatDisk", these(&[1])),
        bound(3, "PreFormatDisk", these(&[2])),
        bound(4, "PreFormatDisk", these(&[])),
    ];
    assert_eq!(
        planned("PreFormatDisk", &hooks, &servers([1, 2]), Some(1)),
        [(Some(1), 1), (Some(1), 2)]
    );
}

#[test]
fn an_event_that_names_none_runs_once_per_covered_server() {
    let hooks = [
        bound(1, "PreFormatDisk", Targets::All),
        bound(2, "PreFormatDisk", these(&[2, 9])),
    ];
    assert_eq!(
        planned("PreFormatDisk", &hooks, &servers([1, 2]), None),
        [(Some(1), 1), (Some(2), 1), (Some(2), 2)]
    );
}

#[test]
fn a_plan_with_more_executions_than_allowed_is_refused() {
    let hooks = [
        bound(1, "PreFormatDisk", Targets::All),
        bound(2, "PreFormatDisk", Targets::All),
    ];
    let servers = servers([1, 2, 3]);
    let planned = |most| {
        let name = name("PreFormatDisk");
        let planned = plan(&name, &hooks, &servers, None, most, &mut rand::rng());
        planned.map(|planned| planned.len())
    };
    assert_eq!(planned(6), Ok(6));
    assert_eq!(planned(5), Err(TooMany));
}

#[test]
fn without_any_server_a_hook_for_all_runs_once_and_one_for_some_never() {
    let hooks = [
        bound(1, "PreFormatDisk", Targets::All),
        bound(2, "PreFormatDisk", these(&[2])),
    ];
    assert_eq!(
        planned("PreFormatDisk", &hooks, &servers([]), None),
        [(None, 1)]
    );
}

#[test]
fn a_hook_point_that_cannot_choose_servers_runs_once() {
    let hooks = [
        bound(1, "OnAudit", Targets::All),
        bound(2, "OnAudit", these(&[2])),
    ];
    assert_eq!(
        planned("OnAudit", &hooks, &servers([1, 2]), None),
        [(None, 1), (None, 2)]
    );
}

#[test]
fn one_of_several_servers_is_drawn_for_a_snapshot() {
    let hooks = [bound(1, "OnRbdSnapshotComplete", these(&[1, 2, 3]))];
    let servers = servers([1, 2, 3, 4]);
    let mut drawn = HashMap::new();
    for _ in 0..400 {
        let planned = planned("OnRbdSnapshotComplete", &hooks, &servers, None);
        assert_eq!(planned.len(), 1);
        *drawn.entry(planned[0].0.unwrap()).or_insert(0) += 1;
    }
    let mut drawn: Vec<_> = drawn.into_keys().collect();
    drawn.sort_unstable();
    assert_eq!(drawn, [1, 2, 3]);
}

#[test]
fn a_server_is_named_by_number_name_or_id() {
    let servers = servers([1, 2]);
    let id = servers[&Number::new(2)].id.to_string();
    for wanted in [json!(2), json!("2"), json!("node-2"), json!(id)] {
        assert_eq!(
            named(&servers, Some(&wanted))
                .unwrap()
                .unwrap()
                .number
                .get(),
            2
        );
    }
    for wanted in [
        json!(3),
        json!("node-3"),
        json!(-1),
        json!(1.5),
        json!(true),
        json!({}),
        json!(i64::MAX),
    ] {
        assert!(named(&servers, Some(&wanted)).is_err(), "{wanted}");
    }
    assert_eq!(named(&servers, None).unwrap(), None);
}

proptest! {
    #[test]
    fn each_hook_runs_once_at_most_for_each_target_and_in_order(
        all in proptest::collection::btree_set(1..20, 0..6),
        chosen in proptest::collection::vec(proptest::option::of(proptest::collection::vec(1..20, 0..6)), 0..6),
    ) {
        let hooks: Vec<_> = (1..)
            .zip(&chosen)
            .map(|(number, chosen)| {
                let targets = chosen.as_ref().map_or(Targets::All, |chosen| these(chosen));
                bound(number, "custom.x", targets)
            })
            .collect();
        let servers = servers(all);
        let planned = planned("custom.x", &hooks, &servers, None);
        prop_assert!(planned.is_sorted());
        let mut once = planned.clone();
        once.dedup();
        prop_assert_eq!(once.len(), planned.len());
        for (server, _) in planned {
            prop_assert!(server.is_none_or(|number| servers.contains_key(&Number::new(number))));
        }
    }
}
