//! A tenant's own workflow.

use tenterhook_session::{Session, State, TRANSITIONS, Work};

use crate::world::{World, four_hosts, plan, transitions};

/// A session that begins in a state in which everything is possible.
fn session_in(state: State) -> World {
    let mut new = plan("tenant");
    new.state = state.to_string();
    let mut inventory = four_hosts();
    if state != State::PrepareMaintenance {
        inventory
            .instances
            .retain(|_, instance| instance.host != "node-1");
    }
    World::new(new, inventory)
}

#[test]
fn every_transition_in_the_table_can_be_taken() {
    for (from, to) in TRANSITIONS {
        let mut world = session_in(*from);
        world.choices.insert(*from, to.to_string());
        world.play_until(|world| world.session.state() != *from || world.entered(*from) > 1);
        world.store();
        let (walked, _) = transitions(*from, &world.steps);
        assert_eq!(walked, [(*from, *to)]);
    }
}

#[test]
fn no_other_transition_can_be_taken() {
    for from in State::ALL.into_iter().filter(|state| !state.is_over()) {
        for to in State::ALL {
            if from.may_become(to) {
                continue;
            }
            let mut world = session_in(from);
            world.choices.insert(from, to.to_string());
            assert_eq!(world.play(), State::MaintenanceFailed);
            assert!(
                world
                    .reason()
                    .starts_with(&format!("the workflow chose `{to}`; from {from}"))
            );
            world.store();
            let (walked, _) = transitions(from, &world.steps);
            assert_eq!(walked, [(from, State::MaintenanceFailed)]);
        }
    }
}

#[test]
fn a_workflow_that_follows_the_proposals_succeeds() {
    let mut world = World::new(plan("tenant"), four_hosts());
    assert_eq!(world.play(), State::MaintenanceDone);
    let decisions = |work: &Work| matches!(work, Work::Decide { .. });
    let decided = world.jobs.iter().filter(|job| decisions(&job.work)).count();
    assert_eq!(decided + 1, world.path().len());
}

#[test]
fn an_answer_that_is_not_a_state_fails_and_lists_the_allowed_ones() {
    let mut world = World::new(plan("tenant"), four_hosts());
    world.choices.insert(State::Maintenance, "LUNCH".to_owned());
    assert_eq!(world.play(), State::MaintenanceFailed);
    assert_eq!(
        world.reason(),
        "the workflow chose `LUNCH`; from MAINTENANCE it may choose SCALE_IN, PREPARE_MAINTENANCE, START_MAINTENANCE or MAINTENANCE_FAILED"
    );

    world.choices.clear();
    world.session.resume(None, world.now).unwrap();
    assert_eq!(world.play(), State::MaintenanceDone);
}

#[test]
fn a_workflow_may_give_up_with_a_reason() {
    let mut world = World::new(plan("tenant"), four_hosts());
    world
        .choices
        .insert(State::StartMaintenance, "MAINTENANCE_FAILED".to_owned());
    assert_eq!(world.play(), State::MaintenanceFailed);
    assert_eq!(world.reason(), "the workflow gave up: because");
}

#[test]
fn a_workflow_that_loops_is_stopped() {
    let mut world = World::new(plan("tenant"), four_hosts());
    world.inventory.instances.clear();
    world
        .choices
        .insert(State::StartMaintenance, "PLANNED_MAINTENANCE".to_owned());
    assert_eq!(world.play(), State::MaintenanceFailed);
    assert_eq!(world.reason(), "no host was maintained in 20 transitions");
}

#[test]
fn a_workflow_without_an_answer_fails_the_session() {
    let mut world = World::new(plan("tenant"), four_hosts());
    world.play_until(|world| {
        let mut ahead = world.session.clone();
        let job = ahead.advance(&world.inventory, &world.timeouts, world.now);
        matches!(job.work, Work::Decide { .. })
    });
    let job = world.advance();
    world
        .session
        .finish(&job.key, crate::world::well(), world.now);
    assert_eq!(
        world.reason(),
        "the workflow `tenant`: the workflow has not chosen a state"
    );
}

#[test]
fn a_decision_that_an_earlier_version_has_stored_is_read() {
    let mut world = World::new(plan("tenant"), four_hosts());
    world.play_until(|world| {
        let mut ahead = world.session.clone();
        let job = ahead.advance(&world.inventory, &world.timeouts, world.now);
        matches!(job.work, Work::Decide { .. })
    });
    let job = world.advance();
    // It stored what a workflow is given as a value, its members sorted.
    let older = serde_json::to_value(&world.session).unwrap().to_string();
    assert!(older.contains(r#""situation":{"allowed":"#), "{older}");
    let mut read: Session = serde_json::from_str(&older).unwrap();
    let again = read.advance(&world.inventory, &world.timeouts, world.now);
    assert_eq!(again.key, job.key);
    assert!(matches!(again.work, Work::Decide { .. }));
}

#[test]
fn a_workflow_gets_the_whole_situation() {
    let mut world = World::new(plan("tenant"), four_hosts());
    world.play_until(|world| world.entered(State::StartMaintenance) == 1);
    let decisions: Vec<_> = world
        .jobs
        .iter()
        .filter_map(|job| match &job.work {
            Work::Decide { situation, .. } => Some(situation),
            _ => None,
        })
        .collect();
    let metadata = r#""metadata":{"release":"Zed","build":1.10}"#;
    let printed = serde_json::to_string(decisions[0]).unwrap();
    assert!(printed.contains(metadata), "{printed}");
    let decisions: Vec<_> = decisions
        .into_iter()
        .map(|situation| serde_json::to_value(situation).unwrap())
        .collect();
    let first = &decisions[0];
    assert_eq!(first["state"], "MAINTENANCE");
    assert_eq!(first["proposed"], "PREPARE_MAINTENANCE");
    assert_eq!(first["allowed"][0], "SCALE_IN");
    assert_eq!(first["plan"]["metadata"]["release"], "Zed");
    assert_eq!(first["projects"]["red"]["state"], "ACK_MAINTENANCE");
    let host = &first["hosts"]["node-1"];
    assert_eq!(
        (&host["kind"], &host["vcpus"]),
        (&"compute".into(), &8.into())
    );
    assert_eq!(host["instances"]["red-1"]["project"], "red");
    assert!(host["instances"]["red-1"]["action"].is_null());

    let second = &decisions[1];
    assert_eq!(second["state"], "PREPARE_MAINTENANCE");
    let hosts = second["hosts"].as_object().unwrap();
    assert!(hosts["node-1"]["instances"].as_object().unwrap().is_empty());
    let moved = hosts
        .values()
        .find_map(|host| host["instances"].get("red-1"));
    assert_eq!(moved.unwrap()["action"], "MIGRATE");
}

#[test]
fn a_long_answer_is_cut_in_the_reason() {
    let mut world = World::new(plan("tenant"), four_hosts());
    world
        .choices
        .insert(State::Maintenance, "é".repeat(100_000));
    world.play();
    assert!(world.reason().chars().count() <= 1_000);
}
