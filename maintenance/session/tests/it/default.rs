//! The `default` workflow, when all goes well.

use tenterhook_session::{ActionType, HostKind, HostState, InstanceAction, Inventory, State, Work};
use time::Duration;
use time::macros::datetime;

use crate::world::{NOW, World, action, four_hosts, plan};

#[test]
fn a_session_goes_from_maintenance_to_maintenance_done() {
    let mut world = World::new(plan("default"), four_hosts());

    assert_eq!(world.play(), State::MaintenanceDone);

    let planned = [State::PlannedMaintenance, State::StartMaintenance];
    let mut path = vec![
        State::Maintenance,
        State::PrepareMaintenance,
        State::StartMaintenance,
    ];
    path.extend(planned.repeat(3));
    path.extend([State::MaintenanceComplete, State::MaintenanceDone]);
    assert_eq!(world.path(), path);
    assert_eq!(world.session.percent_done(), 100);
    assert_eq!(
        world.plugins(),
        [
            "prepare@localhost",
            "upgrade@node-1",
            "firmware@node-1",
            // It is the one with most room: the two of node-1 went to node-2 and node-3.
            "upgrade@node-4",
            "firmware@node-4",
            "upgrade@node-2",
            "firmware@node-2",
            "upgrade@node-3",
            "firmware@node-3",
            "finalize@localhost",
        ]
    );
}

#[test]
fn each_host_is_notified_before_and_after_its_plugins() {
    let mut world = World::new(plan("default"), four_hosts());
    world.play();
    let about_node_4: Vec<_> = world
        .jobs
        .iter()
        .filter_map(|job| match &job.work {
            Work::TellHost { host, state } if host == "node-4" => Some(format!("{state:?}")),
            Work::Act { action, host } if host == "node-4" => Some(action.plugin.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(
        about_node_4,
        [
            "InMaintenance",
            "upgrade",
            "firmware",
            "MaintenanceComplete"
        ]
    );
}

#[test]
fn plugins_run_type_by_type_and_by_name_within_a_type() {
    let mut new = plan("default");
    new.actions = vec![
        action("b", ActionType::Compute),
        action("d", ActionType::Host),
        action("a", ActionType::Controller),
        action("c", ActionType::Host),
    ];
    let mut inventory = four_hosts();
    inventory.hosts.get_mut("node-1").unwrap().kind = HostKind::Controller;
    inventory.hosts.get_mut("node-2").unwrap().kind = HostKind::Other;
    new.hosts = ["node-1", "node-2", "node-3"].map(str::to_owned).to_vec();
    inventory
        .instances
        .retain(|_, instance| instance.host.as_str() > "node-2");
    let mut world = World::new(new, inventory);

    assert_eq!(world.play(), State::MaintenanceDone);

    assert_eq!(
        world.plugins(),
        [
            "c@node-1", "d@node-1", "a@node-1", "c@node-2", "d@node-2", "c@node-3", "d@node-3",
            "b@node-3"
        ]
    );
}

#[test]
fn the_work_starts_at_its_time_and_not_before() {
    let mut world = World::new(plan("default"), four_hosts());
    world.play_until(|world| !world.plugins().is_empty());
    assert!(world.now >= datetime!(2031-05-06 07:08:09 UTC));
}

#[test]
fn a_time_in_the_past_means_now() {
    let mut new = plan("default");
    new.maintenance_at = "2001-01-01 00:00:00".to_owned();
    let mut world = World::new(new, four_hosts());
    world.play_until(|world| !world.plugins().is_empty());
    assert!(world.now < NOW + Duration::seconds(1));
}

#[test]
fn a_host_that_is_empty_needs_no_preparation() {
    let mut inventory = four_hosts();
    inventory
        .instances
        .retain(|_, instance| instance.host != "node-3");
    let mut world = World::new(plan("default"), inventory);
    assert_eq!(world.play(), State::MaintenanceDone);
    assert_eq!(world.entered(State::PrepareMaintenance), 0);
    assert_eq!(world.plugins()[1], "upgrade@node-3");
}

#[test]
fn projects_are_asked_to_scale_in_until_there_is_room() {
    let mut world = World::new(plan("default"), four_hosts()).with_vcpus(Some(2));
    assert_eq!(world.play(), State::MaintenanceDone);
    assert_eq!(
        world.path()[..4],
        [
            State::Maintenance,
            State::ScaleIn,
            State::StartMaintenance,
            State::PlannedMaintenance
        ]
    );
}

#[test]
fn hosts_without_a_known_size_take_everything() {
    let mut world = World::new(plan("default"), four_hosts()).with_vcpus(None);
    assert_eq!(world.play(), State::MaintenanceDone);
    assert_eq!(world.entered(State::ScaleIn), 0);
}

#[test]
fn a_session_without_projects_asks_no_one_and_succeeds() {
    let mut inventory = four_hosts();
    inventory.instances.clear();
    let mut world = World::new(plan("default"), inventory);
    assert_eq!(world.play(), State::MaintenanceDone);
    assert!(world.notices.is_empty());
}

#[test]
fn instances_without_a_project_are_moved_by_the_operator() {
    let mut inventory = four_hosts();
    for instance in inventory.instances.values_mut() {
        instance.project = None;
    }
    let mut world = World::new(plan("default"), inventory);
    assert_eq!(world.play(), State::MaintenanceDone);
    assert!(world.notices.is_empty());
    let instructed = world.jobs.iter().any(|job| match &job.work {
        Work::Instruct(all) => all
            .iter()
            .all(|each| each.action == InstanceAction::Migrate),
        _ => false,
    });
    assert!(instructed);
}

#[test]
fn projects_are_notified_when_their_instances_were_moved_and_need_not_answer() {
    let mut world = World::new(plan("default"), four_hosts());
    world.play();
    let done: Vec<_> = world
        .notices
        .iter()
        .filter(|notice| notice.state == "INSTANCE_ACTION_DONE")
        .collect();
    assert!(!done.is_empty());
    for notice in done {
        assert!(notice.instance.is_some() && notice.metadata.is_empty());
        assert_eq!((notice.reply_at, notice.actions_at), (None, None));
    }
}

#[test]
fn a_project_that_acts_itself_is_not_instructed() {
    let mut world = World::new(plan("default"), four_hosts());
    world.wants = InstanceAction::OwnAction;
    assert_eq!(world.play(), State::MaintenanceDone);
    let instructed = |work: &Work| matches!(work, Work::Instruct(_));
    assert!(!world.jobs.iter().any(|job| instructed(&job.work)));
    assert_eq!(world.told("red", "INSTANCE_ACTION_DONE"), 0);
}

#[test]
fn nothing_is_moved_before_all_projects_have_agreed() {
    let mut world = World::new(plan("default"), four_hosts());
    world
        .refusing
        .insert(("blue".to_owned(), State::PrepareMaintenance));
    assert_eq!(world.play(), State::MaintenanceFailed);
    assert!(
        !world
            .jobs
            .iter()
            .any(|job| matches!(job.work, Work::Instruct(_)))
    );
}

#[test]
fn hosts_that_wait_are_closed_from_the_first_maintenance_on() {
    let mut world = World::new(plan("default"), four_hosts());
    assert!(!world.session.is_closed("node-2"));
    world.play_until(|world| world.session.is_in_maintenance("node-1"));
    assert!(world.session.is_closed("node-2"));
    world.play_until(|world| world.session.is_maintained("node-1"));
    assert!(!world.session.is_closed("node-1"));
    world.play();
    assert!(!world.session.is_closed("node-2"));
}

#[test]
fn notices_carry_times_that_are_to_come_and_the_hints_of_the_session() {
    let mut world = World::new(plan("default"), four_hosts());
    world.play_until(|world| world.entered(State::PlannedMaintenance) > 0);
    let first = &world.notices[0];
    assert_eq!(first.state, "MAINTENANCE");
    assert!(first.reply_at.unwrap() > NOW + Duration::seconds(39));
    assert_eq!(first.actions_at, Some(datetime!(2031-05-06 07:08:09 UTC)));
    assert_eq!(first.metadata.json(), r#"{"release":"Zed","build":1.10}"#);
    assert!(first.allowed_actions.is_empty());
    let prepare = world
        .notices
        .iter()
        .find(|notice| notice.state == "PREPARE_MAINTENANCE");
    assert_eq!(prepare.unwrap().allowed_actions, InstanceAction::ALL);
}

#[test]
fn no_hosts_means_all_compute_hosts_of_the_inventory() {
    let mut inventory = four_hosts();
    inventory.hosts.get_mut("node-1").unwrap().kind = HostKind::Controller;
    let world = World::new(plan("default"), inventory);
    assert_eq!(world.session.plan().hosts, ["node-2", "node-3", "node-4"]);
}

#[test]
fn without_any_host_a_session_fails_with_a_reason() {
    let mut world = World::new(plan("default"), Inventory::default());
    assert_eq!(world.play(), State::MaintenanceFailed);
    assert_eq!(world.reason(), "there is no host to maintain");
}

#[test]
fn a_session_may_begin_in_a_later_state() {
    let mut new = plan("default");
    new.state = "PLANNED_MAINTENANCE".to_owned();
    let mut world = World::new(new, four_hosts());
    assert_eq!(world.play(), State::MaintenanceDone);
    assert_eq!(world.path()[0], State::PlannedMaintenance);
}

#[test]
fn a_host_with_a_floating_address_is_emptied_later() {
    let mut inventory = four_hosts();
    inventory.instances.get_mut("red-1").unwrap().floating_ip = true;
    let mut world = World::new(plan("default"), inventory);
    world.play_until(|world| {
        let told = |work: &Work| {
            matches!(
                work,
                Work::TellHost {
                    state: HostState::InMaintenance,
                    ..
                }
            )
        };
        world.jobs.iter().any(|job| told(&job.work))
    });
    assert!(world.session.is_in_maintenance("node-2"));
}
