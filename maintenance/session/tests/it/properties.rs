//! Whatever admins, projects, plug-ins and the inventory do, in whatever order: no
//! transition that the table does not have, no session that is stuck or lost.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tenterhook_session::{
    Done, GroupConstraint, Host, HostKind, Instance, InstanceAction, InstanceConstraint, Reply,
    Session, State, TRANSITIONS, Work,
};
use time::Duration;

use crate::world::{World, badly, four_hosts, plan, transitions, well};

/// One action of an actor.
#[derive(Clone, Debug)]
enum Deed {
    /// The driver does what the session needs, and it goes well; time does not pass.
    Drive,
    /// The same, but it goes wrong.
    Fail,
    /// The same, but the workflow says this.
    Choose(String),
    /// The driver finishes a job that is not there.
    FinishStale(u8),
    Reply(Answer),
    Resume(Option<State>),
    Pass(i64),
    /// The driver was away, and comes back.
    Wake,
    Change(Change),
}

#[derive(Clone, Debug)]
struct Answer {
    project: &'static str,
    /// `None`: the one that the session is in.
    state: Option<State>,
    agreed: bool,
    /// Whether it names the instances that are concerned.
    names: bool,
    instance: Option<Index>,
    action: Option<InstanceAction>,
}

#[derive(Clone, Debug)]
enum Change {
    Move(Index, Index),
    Remove(Index),
    Add(u8, Index, Option<&'static str>),
    RemoveHost(Index),
    PutHost(u8, HostKind, Option<u32>, Schedulable),
    Constrain(Index, u32, u32),
    Relax(Index),
}

#[derive(Clone, Copy, Debug)]
enum Schedulable {
    Yes,
    No,
}

const PROJECTS: [&str; 3] = ["red", "blue", "green"];

fn states() -> impl Strategy<Value = State> {
    select(&State::ALL[..])
}

fn actions() -> impl Strategy<Value = InstanceAction> {
    select(&InstanceAction::ALL[..])
}

fn answers() -> impl Strategy<Value = Answer> {
    (
        select(&PROJECTS[..]),
        prop_oneof![9 => Just(None), 1 => states().prop_map(Some)],
        prop_oneof![9 => Just(true), 1 => Just(false)],
        prop_oneof![4 => Just(true), 1 => Just(false)],
        prop_oneof![3 => Just(None), 1 => any::<Index>().prop_map(Some)],
        prop_oneof![2 => Just(None), 1 => actions().prop_map(Some)],
    )
        .prop_map(|(project, state, agreed, names, instance, action)| Answer {
            project,
            state,
            agreed,
            names,
            instance,
            action,
        })
}

fn changes() -> impl Strategy<Value = Change> {
    let kinds = select(&[HostKind::Compute, HostKind::Controller, HostKind::Other][..]);
    let schedulable = select(&[Schedulable::Yes, Schedulable::No][..]);
    let project = prop_oneof![1 => Just(None), 4 => select(&PROJECTS[..]).prop_map(Some)];
    prop_oneof![
        6 => any::<(Index, Index)>().prop_map(|(id, host)| Change::Move(id, host)),
        1 => any::<Index>().prop_map(Change::Remove),
        1 => (any::<u8>(), any::<Index>(), project)
            .prop_map(|(id, host, project)| Change::Add(id, host, project)),
        1 => any::<Index>().prop_map(Change::RemoveHost),
        2 => (1..6_u8, kinds, proptest::option::of(0..9_u32), schedulable)
            .prop_map(|(at, kind, vcpus, may)| Change::PutHost(at, kind, vcpus, may)),
        1 => (any::<Index>(), 0..3_u32, 0..90_u32)
            .prop_map(|(id, most, seconds)| Change::Constrain(id, most, seconds)),
        1 => any::<Index>().prop_map(Change::Relax),
    ]
}

fn deeds() -> impl Strategy<Value = Deed> {
    let said = prop_oneof![
        6 => states().prop_map(|state| state.to_string()),
        1 => ".{0,20}",
    ];
    prop_oneof![
        24 => Just(Deed::Drive),
        1 => Just(Deed::Fail),
        2 => said.prop_map(Deed::Choose),
        1 => any::<u8>().prop_map(Deed::FinishStale),
        12 => answers().prop_map(Deed::Reply),
        2 => proptest::option::of(states()).prop_map(Deed::Resume),
        4 => (-50..400_i64).prop_map(Deed::Pass),
        1 => Just(Deed::Wake),
        6 => changes().prop_map(Deed::Change),
    ]
}

impl World {
    fn do_deed(&mut self, deed: Deed) {
        match deed {
            Deed::Drive => self.drive(|_| well()),
            Deed::Fail => self.drive(|_| badly("it went\nwrong")),
            Deed::Choose(next) => self.drive(move |_| Done::Chosen {
                next,
                reason: "a whim".to_owned(),
                task: None,
            }),
            Deed::FinishStale(number) => {
                self.advance();
                let before = self.session.clone();
                let key = format!("{number}-stale");
                self.session.finish(&key, well(), self.now);
                assert_eq!(self.session, before);
            }
            Deed::Reply(answer) => self.say(&answer),
            Deed::Resume(at) => {
                let before = self.session.clone();
                let resumed = self.session.resume(at, self.now);
                let may =
                    before.state() == State::MaintenanceFailed && !at.is_some_and(State::is_over);
                assert_eq!(resumed.is_ok(), may);
                assert!(may || self.session == before);
            }
            Deed::Wake => self.session.wake(&self.timeouts, self.now),
            Deed::Pass(seconds) => self.now += Duration::seconds(seconds),
            Deed::Change(change) => self.change(change),
        }
    }

    fn drive(&mut self, done: impl FnOnce(&Work) -> Done) {
        let job = self.advance();
        match &job.work {
            Work::Rest => assert!(self.session.state().is_over()),
            Work::Wait { until } => assert!(until.is_some_and(|until| until > self.now)),
            work => {
                assert!(job.key.len() <= 200 && job.key.bytes().all(|b| b.is_ascii_graphic()));
                let done = done(work);
                self.session.finish(&job.key, done, self.now);
            }
        }
    }

    fn say(&mut self, answer: &Answer) {
        let ids = self.session.instance_ids(answer.project, &self.inventory);
        let action = answer.action.unwrap_or(InstanceAction::Migrate);
        let all: Vec<_> = self.inventory.instances.keys().cloned().collect();
        let reply = Reply {
            state: answer.state.unwrap_or(self.session.state()),
            agreed: answer.agreed,
            instance_actions: ids
                .into_iter()
                .filter(|_| answer.names)
                .map(|id| (id, action))
                .collect(),
            instance: answer
                .instance
                .filter(|_| !all.is_empty())
                .map(|at| at.get(&all).clone()),
            instance_action: answer.action,
        };
        let before = self.session.clone();
        let taken = self
            .session
            .reply(answer.project, reply.clone(), &self.inventory, self.now);
        if taken.is_err() {
            assert_eq!(self.session, before, "what is not taken changes nothing");
            return;
        }
        let after = self.session.clone();
        let again = self
            .session
            .reply(answer.project, reply, &self.inventory, self.now);
        assert_eq!(again, Ok(()), "a reply may be repeated");
        assert_eq!(self.session, after);
    }

    fn change(&mut self, change: Change) {
        let mut hosts: Vec<_> = self.inventory.hosts.keys().cloned().collect();
        hosts.push("nowhere".to_owned());
        let ids: Vec<_> = self.inventory.instances.keys().cloned().collect();
        match change {
            Change::PutHost(at, kind, vcpus, may) => {
                let host = Host {
                    kind,
                    vcpus,
                    schedulable: matches!(may, Schedulable::Yes),
                };
                self.inventory.hosts.insert(format!("node-{at}"), host);
            }
            Change::RemoveHost(at) => {
                self.inventory.hosts.remove(at.get(&hosts));
            }
            Change::Add(id, host, project) => {
                let instance = Instance {
                    host: host.get(&hosts).clone(),
                    project: project.map(str::to_owned),
                    group: Some("group".to_owned()),
                    vcpus: 1,
                    ..Instance::default()
                };
                self.inventory
                    .instances
                    .insert(format!("new-{id}"), instance);
            }
            _ if ids.is_empty() => {}
            Change::Move(id, host) => {
                let instance = self.inventory.instances.get_mut(id.get(&ids)).unwrap();
                instance.host.clone_from(host.get(&hosts));
            }
            Change::Remove(id) => {
                self.inventory.instances.remove(id.get(&ids));
            }
            Change::Constrain(id, most, seconds) => {
                constrain(self, &id.get(&ids).clone(), most, seconds)
            }
            Change::Relax(id) => {
                self.inventory.instance_constraints.remove(id.get(&ids));
            }
        }
    }
}

/// Says what is demanded for an instance and for the one group that there is.
fn constrain(world: &mut World, id: &str, most: u32, seconds: u32) {
    let constraint = InstanceConstraint {
        instance_id: id.to_owned(),
        project_id: "red".to_owned(),
        group_id: "group".to_owned(),
        instance_name: String::new(),
        max_interruption_time: seconds,
        migration_type: InstanceAction::LiveMigrate,
        resource_mitigation: false,
        lead_time: seconds,
    };
    let group = GroupConstraint {
        group_id: "group".to_owned(),
        project_id: "red".to_owned(),
        group_name: String::new(),
        anti_affinity_group: false,
        max_instances_per_host: 0,
        max_impacted_members: most,
        recovery_time: seconds,
        resource_mitigation: false,
    };
    let inventory = &mut world.inventory;
    inventory
        .instance_constraints
        .insert(id.to_owned(), constraint);
    inventory
        .group_constraints
        .insert("group".to_owned(), group);
}

fn check(world: &mut World, begin: State) {
    world.store();
    let (found, state) = transitions(begin, &world.steps);
    for transition in found {
        assert!(TRANSITIONS.contains(&transition), "{transition:?}");
    }
    assert_eq!(world.session.state(), state);
    assert_eq!(
        world.session.failure().is_some(),
        state == State::MaintenanceFailed
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_actions_leads_out_of_the_table_or_loses_a_session(
        workflow in select(&["default", "vnf", "tenant"][..]),
        begin in select(&State::ALL[..6]),
        constrained in any::<bool>(),
        vcpus in select(&[None, Some(2), Some(3), Some(8)][..]),
        deeds in vec(deeds(), 1..200),
    ) {
        let mut new = plan(workflow);
        new.state = begin.to_string();
        let mut inventory = four_hosts();
        for host in inventory.hosts.values_mut() {
            host.vcpus = vcpus;
        }
        let mut world = World::new(new, inventory);
        world.every_reply_is_taken = false;
        if constrained {
            let ids: Vec<_> = world.inventory.instances.keys().cloned().collect();
            for id in ids {
                constrain(&mut world, &id, 1, 20);
            }
        }
        for deed in deeds {
            world.do_deed(deed);
            check(&mut world, begin);
        }
        // It is not lost: left alone by all but its driver, it comes to an end;
        // and from that it can be resumed, or it is done.
        world.inbox.clear();
        let end = world.play();
        check(&mut world, begin);
        world.inventory = four_hosts();
        if end == State::MaintenanceFailed {
            world.session.resume(None, world.now).unwrap();
            world.play();
            check(&mut world, begin);
        }
    }
}

#[test]
fn what_was_stored_before_a_member_was_known_is_read() {
    let mut world = World::new(plan("default"), four_hosts());
    world.play_until(|world| world.told("red", "PLANNED_MAINTENANCE") == 1);
    let json = serde_json::to_value(&world.session).unwrap();
    let members = json["progress"].as_object().unwrap();
    assert!(members.len() > 10);
    for member in members.keys() {
        let mut older = json.clone();
        older["progress"].as_object_mut().unwrap().remove(member);
        let read: Session = serde_json::from_value(older).unwrap();
        assert_eq!(read.state(), State::PlannedMaintenance);
    }
    let mut oldest = json.clone();
    oldest.as_object_mut().unwrap().remove("progress");
    let read: Session = serde_json::from_value(oldest).unwrap();
    assert_eq!(read.state(), State::PlannedMaintenance);
}
