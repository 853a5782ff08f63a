//! What projects may reply, in both spellings, and what is refused.

use std::collections::BTreeMap;

use tenterhook_session::{Instance, InstanceAction, NotTaken, Reply, State};

use crate::world::{World, four_hosts, plan};

fn ack(state: State) -> Reply {
    Reply {
        state,
        agreed: true,
        instance_actions: BTreeMap::new(),
        instance: None,
        instance_action: None,
    }
}

fn nack(state: State) -> Reply {
    Reply {
        agreed: false,
        ..ack(state)
    }
}

fn actions(named: &[(&str, InstanceAction)]) -> BTreeMap<String, InstanceAction> {
    named
        .iter()
        .map(|(id, action)| ((*id).to_owned(), *action))
        .collect()
}

impl World {
    fn hears(&mut self, project: &str, reply: Reply) -> Result<(), NotTaken> {
        let before = self.session.clone();
        let taken = self
            .session
            .reply(project, reply, &self.inventory, self.now);
        assert!(
            taken.is_ok() || self.session == before,
            "what is not taken changes nothing"
        );
        taken
    }

    fn state_of(&self, project: &str) -> Option<&str> {
        self.session.projects().get(project)?.state.as_deref()
    }
}

/// A session in which both projects have just been asked, and say nothing.
fn asked_in(workflow: &str, state: State) -> World {
    let mut inventory = four_hosts();
    let second = Instance {
        name: "second".to_owned(),
        ..inventory.instances["red-1"].clone()
    };
    inventory.instances.insert("red-1b".to_owned(), second);
    for host in ["node-2", "node-3", "node-4"] {
        inventory.hosts.get_mut(host).unwrap().vcpus = Some(4);
    }
    let mut new = plan(workflow);
    new.state = state.to_string();
    let mut world = World::new(new, inventory);
    for project in ["red", "blue"] {
        world.silent.insert((project.to_owned(), state));
    }
    world.play_until(|world| world.told("red", state.as_str()) == 1);
    world.advance();
    world
}

#[test]
fn a_reply_is_recorded_for_its_project() {
    let mut world = asked_in("default", State::Maintenance);
    assert_eq!(world.state_of("red"), Some("MAINTENANCE"));
    assert_eq!(world.hears("red", ack(State::Maintenance)), Ok(()));
    assert_eq!(world.state_of("red"), Some("ACK_MAINTENANCE"));
    assert_eq!(world.hears("blue", nack(State::Maintenance)), Ok(()));
    assert_eq!(world.state_of("blue"), Some("NACK_MAINTENANCE"));
}

#[test]
fn a_project_may_answer_while_others_are_still_being_notified() {
    let mut world = World::new(plan("default"), four_hosts());
    world.play_until(|world| world.entered(State::Maintenance) == 1);
    let telling = world.advance();
    assert_eq!(world.hears("red", ack(State::Maintenance)), Ok(()));
    assert_eq!(world.advance(), telling);
}

#[test]
fn the_same_reply_once_more_changes_nothing_even_later() {
    let mut world = asked_in("default", State::Maintenance);
    for _ in 0..2 {
        assert_eq!(world.hears("red", ack(State::Maintenance)), Ok(()));
    }
    let replies = |world: &World| {
        world
            .steps
            .iter()
            .filter(|step| step.what == "reply")
            .count()
    };
    world.store();
    assert_eq!(replies(&world), 1);

    assert_eq!(world.hears("blue", nack(State::Maintenance)), Ok(()));
    world.play();
    assert_eq!(world.hears("blue", nack(State::Maintenance)), Ok(()));
    assert_eq!(world.session.state(), State::MaintenanceFailed);
}

#[test]
fn a_contradicting_reply_is_refused() {
    let mut world = asked_in("default", State::Maintenance);
    world.hears("red", ack(State::Maintenance)).unwrap();
    let taken = world.hears("red", nack(State::Maintenance));
    assert_eq!(taken, Err(NotTaken::Answered));
    world.hears("blue", nack(State::Maintenance)).unwrap();
    let taken = world.hears("blue", ack(State::Maintenance));
    assert_eq!(taken, Err(NotTaken::Answered));
}

#[test]
fn a_reply_to_another_state_is_refused_with_the_one_that_is_due() {
    let mut world = asked_in("default", State::Maintenance);
    let taken = world.hears("red", ack(State::ScaleIn)).unwrap_err();
    assert_eq!(taken, NotTaken::WrongState(State::Maintenance));
    assert_eq!(
        taken.to_string(),
        "the session is in MAINTENANCE; a reply must be ACK_MAINTENANCE or NACK_MAINTENANCE"
    );
    assert_eq!(
        NotTaken::WrongState(State::MaintenanceDone).to_string(),
        "the session is in MAINTENANCE_DONE; no reply is due in this state"
    );
}

#[test]
fn a_reply_to_a_state_that_asks_nothing_is_refused() {
    let mut world = World::new(plan("default"), four_hosts());
    world.play_until(|world| world.session.state() == State::StartMaintenance);
    let taken = world.hears("red", ack(State::StartMaintenance));
    assert_eq!(taken, Err(NotTaken::WrongState(State::StartMaintenance)));
    world.play();
    let taken = world.hears("red", ack(State::MaintenanceDone));
    assert_eq!(taken, Err(NotTaken::WrongState(State::MaintenanceDone)));
}

#[test]
fn a_project_that_was_not_asked_cannot_answer() {
    let mut world = asked_in("default", State::Maintenance);
    let taken = world.hears("green", ack(State::Maintenance));
    assert_eq!(taken, Err(NotTaken::NotAsked));
    let taken = world.hears("", nack(State::Maintenance));
    assert_eq!(taken, Err(NotTaken::NotAsked));

    let mut world = World::new(plan("default"), four_hosts());
    let taken = world.hears("red", ack(State::Maintenance));
    assert_eq!(taken, Err(NotTaken::NotAsked), "it was not told yet");
}

#[test]
fn the_plural_names_an_action_for_each_instance_that_is_concerned() {
    use InstanceAction::{LiveMigrate, Migrate, OwnAction};
    let mut world = asked_in("default", State::PrepareMaintenance);
    let ids = world.session.instance_ids("red", &world.inventory);
    assert_eq!(ids, ["red-1", "red-1b"]);
    let reply = |named: &[_]| Reply {
        instance_actions: actions(named),
        ..ack(State::PrepareMaintenance)
    };

    let taken = world.hears("red", ack(State::PrepareMaintenance));
    assert_eq!(taken, Err(NotTaken::NoAction("red-1".to_owned())));
    let taken = world.hears("red", reply(&[("red-1", Migrate)]));
    assert_eq!(taken, Err(NotTaken::NoAction("red-1b".to_owned())));
    let all = [("red-1", Migrate), ("red-1b", OwnAction)];
    for stranger in ["red-2", "blue-1", "none"] {
        let taken = world.hears("red", reply(&[all[0], all[1], (stranger, Migrate)]));
        assert_eq!(taken, Err(NotTaken::NotConcerned(stranger.to_owned())));
    }
    assert_eq!(world.hears("red", reply(&all)), Ok(()));
    assert_eq!(world.state_of("red"), Some("ACK_PREPARE_MAINTENANCE"));
    assert_eq!(world.hears("red", reply(&all)), Ok(()));
    let taken = world.hears("red", reply(&[("red-1", LiveMigrate), all[1]]));
    assert_eq!(taken, Err(NotTaken::Answered));
}

#[test]
fn the_singular_is_for_one_instance_and_the_project_agrees_with_the_last() {
    let mut world = asked_in("default", State::PrepareMaintenance);
    let reply = |id: &str, action| Reply {
        instance: Some(id.to_owned()),
        instance_action: action,
        ..ack(State::PrepareMaintenance)
    };
    let migrate = Some(InstanceAction::Migrate);

    let taken = world.hears("red", reply("red-1", None));
    assert_eq!(taken, Err(NotTaken::NoAction("red-1".to_owned())));
    let taken = world.hears("red", reply("blue-1", migrate));
    assert_eq!(taken, Err(NotTaken::NotConcerned("blue-1".to_owned())));
    assert_eq!(world.hears("red", reply("red-1", migrate)), Ok(()));
    assert_eq!(world.state_of("red"), Some("PREPARE_MAINTENANCE"));
    assert_eq!(world.hears("red", reply("red-1", migrate)), Ok(()));
    let other = Some(InstanceAction::OwnAction);
    let taken = world.hears("red", reply("red-1", other));
    assert_eq!(taken, Err(NotTaken::Answered));
    assert_eq!(world.hears("red", reply("red-1b", other)), Ok(()));
    assert_eq!(world.state_of("red"), Some("ACK_PREPARE_MAINTENANCE"));
}

#[test]
fn a_reply_for_one_instance_in_a_state_that_is_about_all_is_refused() {
    let mut world = asked_in("default", State::Maintenance);
    let reply = Reply {
        instance: Some("red-1".to_owned()),
        ..ack(State::Maintenance)
    };
    let taken = world.hears("red", reply);
    assert_eq!(taken, Err(NotTaken::NotConcerned("red-1".to_owned())));
}

#[test]
fn actions_in_a_state_that_is_about_all_are_ignored() {
    let mut world = asked_in("default", State::Maintenance);
    let many = (0..10_000).map(|at| (at.to_string(), InstanceAction::Migrate));
    let reply = Reply {
        instance_actions: many.collect(),
        instance_action: Some(InstanceAction::OwnAction),
        ..ack(State::Maintenance)
    };
    assert_eq!(world.hears("red", reply), Ok(()));
    assert_eq!(world.hears("red", ack(State::Maintenance)), Ok(()));
    let stored = serde_json::to_string(&world.session).unwrap();
    assert!(stored.len() < 10_000);
}

#[test]
fn a_nack_for_one_instance_is_a_nack_of_its_project() {
    let mut world = asked_in("default", State::PrepareMaintenance);
    let reply = Reply {
        instance: Some("red-1b".to_owned()),
        ..nack(State::PrepareMaintenance)
    };
    assert_eq!(world.hears("red", reply), Ok(()));
    assert_eq!(world.state_of("red"), Some("NACK_PREPARE_MAINTENANCE"));
    assert_eq!(world.play(), State::MaintenanceFailed);
    assert_eq!(
        world.reason(),
        "red answered NACK_PREPARE_MAINTENANCE for the instance `red-1b`"
    );
}

#[test]
fn an_instance_that_is_gone_needs_no_answer() {
    let mut world = asked_in("default", State::PrepareMaintenance);
    world.inventory.instances.remove("red-1b");
    world.inventory.instances.remove("blue-1");
    world.advance();
    assert_eq!(world.state_of("blue"), Some("ACK_PREPARE_MAINTENANCE"));
    let reply = Reply {
        instance_actions: actions(&[("red-1", InstanceAction::Migrate)]),
        ..ack(State::PrepareMaintenance)
    };
    assert_eq!(world.hears("red", reply), Ok(()));
    world.play_until(|world| world.session.state() == State::StartMaintenance);
    assert_eq!(world.session.state(), State::StartMaintenance);
}

#[test]
fn a_project_is_shown_its_instances_in_the_step_or_else_all() {
    let mut world = asked_in("default", State::PrepareMaintenance);
    let blue = world.session.instance_ids("blue", &world.inventory);
    assert_eq!(blue, ["blue-1"]);
    assert!(
        world
            .session
            .instance_ids("green", &world.inventory)
            .is_empty()
    );
    world.silent.clear();
    world.inbox = world.notices.clone();
    world.play();
    let blue = world.session.instance_ids("blue", &world.inventory);
    assert_eq!(blue, ["blue-1", "blue-2", "blue-3", "blue-4"]);
}
