//! What goes wrong, what is said about it, and how a session goes on afterwards.

use tenterhook_session::{Host, Instance, NotResumed, State, Work};

use crate::world::{World, badly, four_hosts, plan, transitions};

fn who(project: &str, state: State) -> (String, State) {
    (project.to_owned(), state)
}

#[test]
fn a_nack_ends_the_wait_at_once_though_another_project_is_silent() {
    let mut world = World::new(plan("default"), four_hosts());
    world.silent.insert(who("blue", State::Maintenance));
    world.refusing.insert(who("red", State::Maintenance));
    let begin = world.now;

    assert_eq!(world.play(), State::MaintenanceFailed);

    assert!(world.now - begin < world.timeouts.reply / 4);
    assert_eq!(world.reason(), "red answered NACK_MAINTENANCE");
}

#[test]
fn silence_past_the_time_fails_and_names_the_project() {
    for state in [
        State::Maintenance,
        State::PrepareMaintenance,
        State::PlannedMaintenance,
        State::MaintenanceComplete,
    ] {
        let mut world = World::new(plan("default"), four_hosts());
        world.silent.insert(who("blue", state));
        assert_eq!(world.play(), State::MaintenanceFailed);
        assert_eq!(
            world.reason(),
            format!("blue did not answer {state} in time")
        );
        assert_eq!(world.session.failure().unwrap().state, state);
    }
}

#[test]
fn a_silent_project_is_reminded_twice_and_others_are_not() {
    let mut world = World::new(plan("default"), four_hosts());
    world.silent.insert(who("blue", State::Maintenance));
    world.play();
    assert_eq!(world.told("blue", "MAINTENANCE"), 3);
    assert_eq!(world.told("red", "MAINTENANCE"), 1);
}

#[test]
fn resumed_only_those_that_were_silent_or_refused_are_asked_again() {
    let asking = [
        State::Maintenance,
        State::PrepareMaintenance,
        State::MaintenanceComplete,
    ];
    for state in asking {
        for (silent, refusing) in [("blue", "nobody"), ("nobody", "blue")] {
            let mut world = World::new(plan("default"), four_hosts());
            world.silent.insert(who(silent, state));
            world.refusing.insert(who(refusing, state));
            assert_eq!(world.play(), State::MaintenanceFailed);
            world.silent.clear();
            world.refusing.clear();
            let blue = world.told("blue", state.as_str());

            world.session.resume(None, world.now).unwrap();
            assert_eq!(world.session.failure(), None);
            assert_eq!(world.play(), State::MaintenanceDone);

            assert_eq!(world.told("red", state.as_str()), 1, "it had agreed");
            assert_eq!(world.told("blue", state.as_str()), blue + 1);
            assert_eq!(world.entered(state), 1, "the state was not begun again");
        }
    }
}

#[test]
fn a_plugin_that_failed_runs_again_under_a_new_key_and_no_other_does() {
    let mut world = World::new(plan("default"), four_hosts());
    world.play_until(|world| world.session.percent_done() == 50);
    world.broken.insert("firmware".to_owned());
    assert_eq!(world.play(), State::MaintenanceFailed);
    assert_eq!(world.reason(), "the plug-in `firmware` on `node-2`: exit 1");
    let step = world.steps.iter().find(|step| !step.ok).unwrap();
    assert_eq!(
        (step.what.as_str(), step.host.as_deref()),
        ("action", Some("node-2"))
    );
    assert_eq!(step.plugin.as_deref(), Some("firmware"));
    assert!(
        step.remedy
            .as_deref()
            .unwrap()
            .contains("plug-in runs again")
    );

    world.broken.clear();
    world.session.resume(None, world.now).unwrap();
    assert_eq!(world.play(), State::MaintenanceDone);

    let plugins = world.plugins();
    assert_eq!(
        plugins
            .iter()
            .filter(|ran| *ran == "firmware@node-2")
            .count(),
        2
    );
    assert_eq!(plugins.len(), 11);
    let mut keys: Vec<_> = world.jobs.iter().map(|job| &job.key).collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), all, "no key was used twice");
}

#[test]
fn a_host_that_is_not_emptied_in_time_fails_planned_maintenance() {
    let mut world = World::new(plan("default"), four_hosts());
    world.play_until(|world| world.session.is_maintained("node-1"));
    world
        .stuck
        .extend(world.inventory.instances.keys().cloned());
    assert_eq!(world.play(), State::MaintenanceFailed);
    assert_eq!(
        world.session.failure().unwrap().state,
        State::PlannedMaintenance
    );
    assert!(
        world
            .reason()
            .contains("was not emptied in time; still on it: ")
    );

    world.stuck.clear();
    world.session.resume(None, world.now).unwrap();
    assert_eq!(
        world.play(),
        State::MaintenanceDone,
        "the move was requested again"
    );
}

#[test]
fn a_host_that_is_not_emptied_in_time_leads_from_prepare_to_scale_in() {
    let mut world = World::new(plan("default"), four_hosts());
    world.stuck.insert("red-1".to_owned());
    world.play_until(|world| world.entered(State::ScaleIn) == 1);
    assert_eq!(world.session.state(), State::ScaleIn);
    world.stuck.clear();
    assert_eq!(world.play(), State::MaintenanceDone);
}

#[test]
fn unsuccessful_scaling_in_comes_to_an_end() {
    let mut world = World::new(plan("default"), four_hosts()).with_vcpus(Some(2));
    world.scales_in = false;
    assert_eq!(world.play(), State::MaintenanceFailed);
    assert_eq!(world.entered(State::ScaleIn), 5);
    assert!(
        world
            .reason()
            .starts_with("projects were asked 5 times to scale in")
    );
}

#[test]
fn without_an_empty_host_start_maintenance_fails() {
    let mut new = plan("default");
    new.state = "START_MAINTENANCE".to_owned();
    let mut world = World::new(new, four_hosts());
    assert_eq!(world.play(), State::MaintenanceFailed);
    assert!(world.reason().starts_with("none of the hosts"));

    let prepare = Some(State::PrepareMaintenance);
    world.session.resume(prepare, world.now).unwrap();
    assert_eq!(world.play(), State::MaintenanceDone);
}

#[test]
fn a_state_whose_beginning_is_denied_fails() {
    for state in State::ALL.into_iter().filter(|state| !state.is_over()) {
        let mut new = plan("default");
        new.state = state.to_string();
        let mut world = World::new(new, four_hosts());
        world.broken.insert(state.to_string());
        assert_eq!(world.play(), State::MaintenanceFailed);
        assert_eq!(world.reason(), format!("entering {state}: denied"));
    }
}

#[test]
fn the_end_of_a_session_cannot_be_denied() {
    let mut world = World::new(plan("default"), four_hosts());
    world.broken.insert("MAINTENANCE_DONE".to_owned());
    assert_eq!(world.play(), State::MaintenanceDone);

    let mut world = World::new(plan("default"), four_hosts());
    world.broken.insert("prepare".to_owned());
    world.broken.insert("MAINTENANCE_FAILED".to_owned());
    assert_eq!(world.play(), State::MaintenanceFailed);
    assert_eq!(world.entered(State::MaintenanceFailed), 1);
}

#[test]
fn a_host_that_vanishes_fails_the_session_with_a_reason() {
    let mut world = World::new(plan("default"), four_hosts());
    world.play_until(|world| world.entered(State::PlannedMaintenance) == 1);
    let host = world.inventory.hosts.remove("node-3").unwrap();
    assert_eq!(world.play(), State::MaintenanceFailed);
    assert_eq!(
        world.reason(),
        "the host `node-3` is no longer in the inventory"
    );

    world.inventory.hosts.insert("node-3".to_owned(), host);
    world.session.resume(None, world.now).unwrap();
    assert_eq!(world.play(), State::MaintenanceDone);
}

#[test]
fn an_instance_that_comes_while_its_host_is_emptied_is_asked_for_too() {
    let mut world = World::new(plan("default"), four_hosts());
    world.stuck.insert("red-1".to_owned());
    world.play_until(|world| {
        world
            .jobs
            .iter()
            .any(|job| matches!(job.work, Work::Instruct(_)))
    });
    let late = Instance {
        host: "node-1".to_owned(),
        project: Some("green".to_owned()),
        vcpus: 1,
        ..Instance::default()
    };
    world.inventory.instances.insert("late".to_owned(), late);
    world.play_until(|world| world.told("green", "INSTANCE_ACTION_DONE") == 1);
    assert_eq!(world.told("green", "PREPARE_MAINTENANCE"), 1);
}

#[test]
fn instances_that_keep_coming_end_the_session() {
    let mut world = World::new(plan("default"), four_hosts());
    world.stuck.insert("red-1".to_owned());
    world.play_until(|world| world.entered(State::PrepareMaintenance) == 1);
    for at in 0..200 {
        world.play_until(|world| {
            !world
                .session
                .instance_ids("red", &world.inventory)
                .is_empty()
        });
        let late = Instance {
            host: "node-1".to_owned(),
            ..Instance::default()
        };
        world.inventory.instances.insert(format!("late-{at}"), late);
        let jobs = world.jobs.len();
        world.play_until(|world| world.jobs.len() > jobs || world.session.state().is_over());
    }
    assert!(
        world.reason().starts_with("more than 100 instances came"),
        "{}",
        world.reason()
    );
}

#[test]
fn only_a_failed_session_is_resumed_and_not_at_the_end() {
    let mut world = World::new(plan("default"), four_hosts());
    let resumed = world.session.resume(None, world.now);
    assert_eq!(resumed, Err(NotResumed::NotFailed(State::Maintenance)));
    world.broken.insert("prepare".to_owned());
    world.play();
    for end in [State::MaintenanceDone, State::MaintenanceFailed] {
        let resumed = world.session.resume(Some(end), world.now);
        assert_eq!(resumed, Err(NotResumed::AtTheEnd(end)));
    }
}

#[test]
fn resumed_at_a_state_it_begins_there_and_keeps_what_is_maintained() {
    let mut world = World::new(plan("default"), four_hosts());
    world.play_until(|world| world.session.is_maintained("node-1"));
    world.broken.insert("upgrade".to_owned());
    assert_eq!(world.play(), State::MaintenanceFailed);
    world.broken.clear();

    let begin = Some(State::Maintenance);
    world.session.resume(begin, world.now).unwrap();
    assert_eq!(world.play(), State::MaintenanceDone);

    let plugins = world.plugins();
    assert_eq!(
        plugins
            .iter()
            .filter(|ran| *ran == "prepare@localhost")
            .count(),
        2
    );
    assert_eq!(
        plugins
            .iter()
            .filter(|ran| *ran == "upgrade@node-1")
            .count(),
        1
    );
    transitions(State::Maintenance, &world.steps);
}

#[test]
fn resumed_at_a_state_it_does_not_maintain_a_host_that_is_in_use_again() {
    let mut world = World::new(plan("default"), four_hosts());
    world.broken.insert("firmware".to_owned());
    assert_eq!(world.play(), State::MaintenanceFailed);
    assert!(world.session.is_in_maintenance("node-1"));
    world.broken.clear();
    let red = world.inventory.instances.get_mut("red-1").unwrap();
    red.host = "node-1".to_owned();

    let start = Some(State::StartMaintenance);
    world.session.resume(start, world.now).unwrap();
    assert_eq!(world.play(), State::MaintenanceFailed);
    assert!(world.reason().starts_with("none of the hosts"));
    assert_eq!(world.plugins().last().unwrap(), "firmware@node-1");
}

#[test]
fn a_key_that_is_not_the_current_one_finishes_nothing() {
    let mut world = World::new(plan("default"), four_hosts());
    let job = world.advance();
    world.session.finish("0-enter", badly("denied"), world.now);
    assert_eq!(world.advance(), job);
    assert_eq!(world.play(), State::MaintenanceDone);
}

#[test]
fn after_a_long_absence_of_the_driver_projects_have_the_whole_time_again() {
    for state in [State::Maintenance, State::PrepareMaintenance] {
        let mut world = World::new(plan("default"), four_hosts());
        world.silent.insert(who("blue", state));
        world.play_until(|world| world.told("blue", state.as_str()) == 2);
        world.silent.clear();
        let mut forgetful = world.session.clone();

        world.now += world.timeouts.reply * 10;
        forgetful.advance(&world.inventory, &world.timeouts, world.now);
        assert_eq!(forgetful.state(), State::MaintenanceFailed);

        world.session.wake(&world.timeouts, world.now);
        assert_eq!(world.play(), State::MaintenanceDone);
    }
}

#[test]
fn after_a_long_absence_of_the_driver_instances_have_the_whole_time_again() {
    let mut world = World::new(plan("default"), four_hosts());
    world.stuck.insert("red-4".to_owned());
    world.play_until(|world| {
        let left = world
            .steps
            .iter()
            .any(|step| step.result.contains("`blue-4` has left"));
        left && world.session.state() == State::PlannedMaintenance
    });
    world.stuck.clear();
    world.now += world.timeouts.empty_host * 10;
    world.session.wake(&world.timeouts, world.now);
    world.advance();
    assert_eq!(world.session.state(), State::PlannedMaintenance);
    world.move_away("red-4");
    assert_eq!(world.play(), State::MaintenanceDone);
}

#[test]
fn every_failure_has_a_remedy() {
    let mut world = World::new(plan("default"), four_hosts());
    world
        .inventory
        .hosts
        .insert("spare".to_owned(), Host::default());
    for broken in ["prepare", "upgrade", "PLANNED_MAINTENANCE", "finalize"] {
        world.broken.insert(broken.to_owned());
        assert_eq!(world.play(), State::MaintenanceFailed);
        world.store();
        let last: Vec<_> = world.steps.iter().filter(|step| !step.ok).collect();
        assert!(
            last.iter()
                .all(|step| step.remedy.as_ref().is_some_and(|text| !text.is_empty()))
        );
        world.broken.clear();
        world.session.resume(None, world.now).unwrap();
    }
    assert_eq!(world.play(), State::MaintenanceDone);
}

#[test]
fn the_output_of_a_plugin_is_one_short_line_in_the_record() {
    let mut world = World::new(plan("default"), four_hosts());
    let job = world.advance();
    let done = tenterhook_session::Done::Badly {
        reason: "a\nb\u{1b}[31m".repeat(2_000),
        task: None,
    };
    world.session.finish(&job.key, done, world.now);
    world.store();
    for step in &world.steps {
        assert!(step.result.chars().count() <= 1_000);
        assert!(!step.result.chars().any(char::is_control));
    }
}
