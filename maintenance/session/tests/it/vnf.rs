//! The `vnf` workflow: what projects demand for their instances is honoured.

use tenterhook_session::{
    GroupConstraint, Instance, InstanceAction, InstanceConstraint, Inventory, NotTaken, Notice,
    Reply, State, Work,
};
use time::{Duration, OffsetDateTime};

use crate::world::{World, four_hosts, plan};

const LEAD: u32 = 120;
const RECOVERY: u32 = 60;

/// Four hosts as ever, and `more` more of the project `red` on the first, which is
/// emptied first. All of `red` is one group.
fn demanding(more: usize, max_impacted_members: u32) -> Inventory {
    let mut inventory = four_hosts();
    for host in ["node-2", "node-3", "node-4"] {
        inventory.hosts.get_mut(host).unwrap().vcpus = Some(6);
    }
    inventory.hosts.get_mut("node-1").unwrap().vcpus = Some(100);
    for at in 0..more {
        let instance = inventory.instances["red-1"].clone();
        inventory
            .instances
            .insert(format!("red-more-{at}"), instance);
    }
    for (id, instance) in &inventory.instances {
        let constraint = constraint(id, instance);
        inventory
            .instance_constraints
            .insert(id.clone(), constraint);
    }
    for group in ["red", "blue"] {
        let constraint = GroupConstraint {
            group_id: group.to_owned(),
            project_id: group.to_owned(),
            group_name: String::new(),
            anti_affinity_group: false,
            max_instances_per_host: 0,
            max_impacted_members,
            recovery_time: RECOVERY,
            resource_mitigation: false,
        };
        inventory
            .group_constraints
            .insert(group.to_owned(), constraint);
    }
    inventory
}

fn constraint(id: &str, instance: &Instance) -> InstanceConstraint {
    let project = instance.project.clone().unwrap();
    InstanceConstraint {
        instance_id: id.to_owned(),
        group_id: project.clone(),
        project_id: project,
        instance_name: instance.name.clone(),
        max_interruption_time: 5,
        migration_type: InstanceAction::LiveMigrate,
        resource_mitigation: false,
        lead_time: LEAD,
    }
}

/// When an instance was asked for.
fn asked_at(notice: &Notice) -> OffsetDateTime {
    notice.reply_at.unwrap() - Duration::seconds(i64::from(LEAD))
}

/// When an instance left, according to the steps.
fn left_at(world: &World, id: &str) -> OffsetDateTime {
    let text = format!("the instance `{id}` has left");
    let left = world.steps.iter().find(|step| step.result == text);
    left.unwrap().at
}

fn questions(world: &World) -> Vec<&Notice> {
    let emptying = ["PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE"];
    let notices = world.notices.iter();
    notices
        .filter(|notice| emptying.contains(&notice.state.as_str()))
        .collect()
}

#[test]
fn a_session_goes_from_maintenance_to_maintenance_done() {
    let mut world = World::new(plan("vnf"), demanding(0, 1));
    assert_eq!(world.play(), State::MaintenanceDone);
    assert_eq!(world.session.percent_done(), 100);
    assert!(
        questions(&world)
            .iter()
            .all(|notice| notice.instance.is_some())
    );
}

#[test]
fn without_constraints_it_does_not_leave_maintenance_and_names_what_is_missing() {
    let mut inventory = demanding(0, 1);
    let missing = inventory.instance_constraints.remove("red-2").unwrap();
    let group = inventory.group_constraints.remove("blue").unwrap();
    let mut world = World::new(plan("vnf"), inventory);

    assert_eq!(world.play(), State::MaintenanceFailed);

    let failure = world.session.failure().unwrap();
    assert_eq!(failure.state, State::Maintenance);
    assert_eq!(
        failure.reason,
        "constraints are missing for group `blue`, instance `red-2`"
    );
    assert!(world.plugins().is_empty(), "nothing was touched");

    let inventory = &mut world.inventory;
    inventory
        .instance_constraints
        .insert("red-2".to_owned(), missing);
    inventory.group_constraints.insert("blue".to_owned(), group);
    world.session.resume(None, world.now).unwrap();
    assert_eq!(world.play(), State::MaintenanceDone);
    assert_eq!(world.told("red", "MAINTENANCE"), 1, "it had agreed");
}

#[test]
fn many_missing_constraints_are_counted() {
    let mut inventory = demanding(50, 1);
    inventory.instance_constraints.clear();
    let mut world = World::new(plan("vnf"), inventory);
    world.play();
    assert!(world.reason().ends_with("48 more"), "{}", world.reason());
}

#[test]
fn a_project_has_its_lead_time_to_answer() {
    let mut world = World::new(plan("vnf"), demanding(0, 1));
    let prepare = ("red".to_owned(), State::PrepareMaintenance);
    world.silent.insert(prepare);
    world.play_until(|world| world.told("red", "PREPARE_MAINTENANCE") == 1);
    let begin = world.now;
    assert_eq!(world.play(), State::MaintenanceFailed);
    assert!(world.now - begin >= Duration::seconds(i64::from(LEAD)));
}

#[test]
fn one_of_a_group_at_a_time_and_the_next_when_it_has_recovered() {
    let mut world = World::new(plan("vnf"), demanding(3, 1));
    assert_eq!(world.play(), State::MaintenanceDone);
    world.store();
    let red: Vec<_> = questions(&world)
        .into_iter()
        .filter(|notice| notice.project == "red")
        .collect();
    assert!(red.len() >= 7);
    for pair in red.windows(2) {
        let id = pair[0].instance.as_deref().unwrap();
        // The same instance may move twice; it left for the first time before.
        let rested = left_at(&world, id) + Duration::seconds(i64::from(RECOVERY));
        assert!(asked_at(pair[1]) >= rested, "{pair:?}");
    }
}

#[test]
fn as_many_of_a_group_at_a_time_as_may_be() {
    for most in [2, 3] {
        let mut world = World::new(plan("vnf"), demanding(5, most));
        let prepare = ("red".to_owned(), State::PrepareMaintenance);
        world.silent.insert(prepare);
        world.play_until(|world| world.told("red", "PREPARE_MAINTENANCE") > 0);
        let told = world.told("red", "PREPARE_MAINTENANCE");
        assert_eq!(told, usize::try_from(most).unwrap());
    }
}

#[test]
fn a_limit_of_none_is_read_as_one() {
    let mut world = World::new(plan("vnf"), demanding(1, 0));
    assert_eq!(world.play(), State::MaintenanceDone);
}

#[test]
fn an_ack_without_an_action_means_the_one_that_is_demanded() {
    let mut world = World::new(plan("vnf"), demanding(0, 1));
    world.play();
    let mut instructions = world.jobs.iter().filter_map(|job| match &job.work {
        Work::Instruct(instructions) => Some(instructions),
        _ => None,
    });
    let first = &instructions.next().unwrap()[0];
    assert_eq!(first.action, InstanceAction::LiveMigrate);
    assert_eq!(first.max_interruption_time, Some(5));
}

#[test]
fn the_action_that_is_demanded_is_offered_first() {
    let mut world = World::new(plan("vnf"), demanding(0, 1));
    world.play();
    for notice in questions(&world) {
        assert_eq!(notice.allowed_actions[0], InstanceAction::LiveMigrate);
        assert_eq!(notice.allowed_actions.len(), 3);
    }
}

#[test]
fn a_nack_for_one_instance_fails_the_session_with_the_reason() {
    let mut world = World::new(plan("vnf"), demanding(0, 1));
    let planned = ("blue".to_owned(), State::PlannedMaintenance);
    world.refusing.insert(planned);
    assert_eq!(world.play(), State::MaintenanceFailed);
    let reason = world.reason();
    assert!(reason.starts_with("blue answered NACK_PLANNED_MAINTENANCE for the instance `blue-"));
}

#[test]
fn one_reply_may_cover_all_that_a_project_was_asked_for() {
    let mut world = World::new(plan("vnf"), demanding(1, 2));
    let prepare = ("red".to_owned(), State::PrepareMaintenance);
    world.silent.insert(prepare);
    world.play_until(|world| world.told("red", "PREPARE_MAINTENANCE") == 2);
    let reply = Reply {
        state: State::PrepareMaintenance,
        agreed: true,
        instance_actions: std::collections::BTreeMap::new(),
        instance: None,
        instance_action: Some(InstanceAction::Migrate),
    };
    let taken = world
        .session
        .reply("red", reply, &world.inventory, world.now);
    assert_eq!(taken, Ok(()));
    let state = world.session.projects()["red"].state.as_deref();
    assert_eq!(state, Some("ACK_PREPARE_MAINTENANCE"));
}

#[test]
fn a_repeated_reply_is_accepted_after_its_instance_has_left() {
    let mut world = World::new(plan("vnf"), demanding(1, 1));
    let prepare = ("red".to_owned(), State::PrepareMaintenance);
    world.silent.insert(prepare);
    world.play_until(|world| world.told("red", "PREPARE_MAINTENANCE") == 1);
    world.advance();
    let reply = |id: &str, agreed| Reply {
        state: State::PrepareMaintenance,
        agreed,
        instance_actions: std::collections::BTreeMap::new(),
        instance: Some(id.to_owned()),
        instance_action: None,
    };
    let say = |world: &mut World, reply| {
        let (inventory, now) = (&world.inventory, world.now);
        world.session.reply("red", reply, inventory, now)
    };
    assert_eq!(say(&mut world, reply("red-1", true)), Ok(()));
    world.play_until(|world| world.told("red", "PREPARE_MAINTENANCE") == 2);
    assert_eq!(say(&mut world, reply("red-1", true)), Ok(()));
    let taken = say(&mut world, reply("red-1", false));
    assert_eq!(taken, Err(NotTaken::NotConcerned("red-1".to_owned())));
    let taken = say(&mut world, reply("red-2", true));
    assert_eq!(taken, Err(NotTaken::NotConcerned("red-2".to_owned())));
}
