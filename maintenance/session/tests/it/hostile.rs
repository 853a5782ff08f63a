//! Inventories and replies that make no sense.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use tenterhook_session::{
    GroupConstraint, Host, HostKind, Instance, InstanceAction, InstanceConstraint, Inventory,
    Reply, State, Work,
};

use crate::world::{World, plan, transitions, well};

/// Names that an attacker may give, and a few that collide.
fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(&["a", "b", "c", "localhost", ""][..]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => select(&["\u{0}", "\u{202e}x", "../..", "a\r\nb", "`", "%2f"][..])
            .prop_map(str::to_owned),
    ]
}

fn numbers() -> impl Strategy<Value = u32> {
    select(&[0, 1, 2, 60, 100_000_000][..])
}

fn sizes() -> impl Strategy<Value = u32> {
    select(&[0, 1, 4, u32::MAX][..])
}

fn actions() -> impl Strategy<Value = InstanceAction> {
    select(&InstanceAction::ALL[..])
}

fn hosts() -> impl Strategy<Value = Host> {
    let kinds = &[HostKind::Compute, HostKind::Compute, HostKind::Controller][..];
    (select(kinds), option::of(sizes()), any::<bool>()).prop_map(|(kind, vcpus, schedulable)| {
        Host {
            kind,
            vcpus,
            schedulable,
        }
    })
}

fn instances() -> impl Strategy<Value = Instance> {
    let texts = (names(), names(), option::of(names()), option::of(names()));
    (texts, sizes(), any::<bool>()).prop_map(|(texts, vcpus, floating_ip)| Instance {
        name: texts.0,
        host: texts.1,
        project: texts.2,
        group: texts.3,
        vcpus,
        floating_ip,
    })
}

fn demands() -> impl Strategy<Value = InstanceConstraint> {
    (names(), numbers(), numbers(), actions()).prop_map(|(group_id, a, b, migration_type)| {
        InstanceConstraint {
            instance_id: "somebody else".to_owned(),
            project_id: String::new(),
            group_id,
            instance_name: String::new(),
            max_interruption_time: a,
            migration_type,
            resource_mitigation: false,
            lead_time: b,
        }
    })
}

fn group_demands() -> impl Strategy<Value = GroupConstraint> {
    (numbers(), numbers()).prop_map(|(max_impacted_members, recovery_time)| GroupConstraint {
        group_id: String::new(),
        project_id: String::new(),
        group_name: String::new(),
        anti_affinity_group: true,
        max_instances_per_host: 0,
        max_impacted_members,
        recovery_time,
        resource_mitigation: true,
    })
}

fn inventories() -> impl Strategy<Value = Inventory> {
    (
        btree_map(names(), hosts(), 0..5),
        btree_map(names(), instances(), 0..8),
        btree_map(names(), demands(), 0..8),
        btree_map(names(), group_demands(), 0..4),
    )
        .prop_map(
            |(hosts, instances, instance_constraints, group_constraints)| Inventory {
                hosts,
                instances,
                instance_constraints,
                group_constraints,
            },
        )
}

fn replies() -> impl Strategy<Value = (String, Reply)> {
    (
        names(),
        select(&State::ALL[..]),
        any::<bool>(),
        btree_map(names(), actions(), 0..4),
        option::of(names()),
        option::of(actions()),
    )
        .prop_map(
            |(project, state, agreed, instance_actions, instance, instance_action)| {
                let reply = Reply {
                    state,
                    agreed,
                    instance_actions,
                    instance,
                    instance_action,
                };
                (project, reply)
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_inventory_leads_to_an_end(
        workflow in select(&["default", "vnf", "tenant"][..]),
        begin in select(&State::ALL[..6]),
        inventory in inventories(),
    ) {
        let mut new = plan(workflow);
        new.state = begin.to_string();
        let mut world = World::new(new, inventory);
        world.every_reply_is_taken = false;
        world.play();
        world.store();
        let (_, end) = transitions(begin, &world.steps);
        prop_assert!(end.is_over());
        for job in &world.jobs {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
            prop_assert!(job.key.len() <= 200 && job.key.bytes().all(plain), "{}", job.key);
        }
    }

    #[test]
    fn an_inventory_that_changes_at_every_poll_leads_to_an_end(
        workflow in select(&["default", "vnf"][..]),
        begin in select(&State::ALL[..6]),
        inventories in vec(inventories(), 1..30),
        replies in vec(replies(), 1..30),
    ) {
        let mut new = plan(workflow);
        new.state = begin.to_string();
        let mut world = World::new(new, inventories[0].clone());
        world.every_reply_is_taken = false;
        for (inventory, (project, reply)) in inventories.into_iter().zip(replies) {
            world.inventory = inventory;
            let job = world.advance();
            let before = world.session.clone();
            let taken = world.session.reply(&project, reply, &world.inventory, world.now);
            prop_assert!(taken.is_ok() || world.session == before);
            if !matches!(job.work, Work::Wait { .. } | Work::Rest) {
                world.session.finish(&job.key, well(), world.now);
            }
            world.store();
        }
        world.play();
        world.store();
        transitions(begin, &world.steps);
    }
}

#[test]
fn a_large_inventory_is_read_quickly_enough_to_be_played() {
    let mut inventory = Inventory::default();
    for at in 0..300 {
        let host = Host {
            schedulable: true,
            vcpus: Some(64),
            ..Host::default()
        };
        inventory.hosts.insert(format!("node-{at:03}"), host);
        for of in 0..10 {
            let instance = Instance {
                host: format!("node-{at:03}"),
                project: Some(format!("project-{}", of % 5)),
                vcpus: 4,
                ..Instance::default()
            };
            inventory.instances.insert(format!("{at}-{of}"), instance);
        }
    }
    let mut new = plan("default");
    new.hosts = (0..20).map(|at| format!("node-{at:03}")).collect();
    let mut world = World::new(new, inventory);
    assert_eq!(world.play(), State::MaintenanceDone);
}
