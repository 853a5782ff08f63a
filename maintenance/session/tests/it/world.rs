//! A tiny world: hosts, instances that move, projects that answer, time that passes
//! only when nothing else happens.
//!
//! Before each call of the session, it is stored and read back.

use std::collections::{BTreeMap, BTreeSet};

use tenterhook_session::{
    Action, ActionType, Done, Host, HostKind, Instance, InstanceAction, Inventory, Job, Metadata,
    NewPlan, Notice, Reply, Session, State, Step, Timeouts, Work,
};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

pub(crate) const NOW: OffsetDateTime = datetime!(2031-05-06 07:00:00 UTC);

/// Jobs and waits that a session may take; far more than those here need.
const MOST: usize = 2_000;

pub(crate) struct World {
    pub(crate) session: Session,
    pub(crate) inventory: Inventory,
    pub(crate) timeouts: Timeouts,
    pub(crate) now: OffsetDateTime,
    /// All steps so far.
    pub(crate) steps: Vec<Step>,
    /// All jobs that were done, without waits.
    pub(crate) jobs: Vec<Job>,
    /// All notices that were sent.
    pub(crate) notices: Vec<Notice>,
    pub(crate) inbox: Vec<Notice>,
    /// Projects that do not answer to a state.
    pub(crate) silent: BTreeSet<(String, State)>,
    /// Projects that refuse in a state.
    pub(crate) refusing: BTreeSet<(String, State)>,
    /// What projects want for their instances.
    pub(crate) wants: InstanceAction,
    /// Instances that do not move.
    pub(crate) stuck: BTreeSet<String>,
    /// Plug-ins that fail, and the states whose beginning is denied.
    pub(crate) broken: BTreeSet<String>,
    /// What the tenant's workflow says instead of what is proposed, state by state.
    pub(crate) choices: BTreeMap<State, String>,
    /// Whether a reply that is not taken is a fault of the session.
    pub(crate) every_reply_is_taken: bool,
    /// Whether projects remove an instance when they are asked to scale in.
    pub(crate) scales_in: bool,
}

/// Four hosts of 8 vCPUs with two instances of 1 on each, of two projects.
pub(crate) fn four_hosts() -> Inventory {
    let mut inventory = Inventory::default();
    for at in 1..=4 {
        let host = Host {
            vcpus: Some(8),
            schedulable: true,
            ..Host::default()
        };
        inventory.hosts.insert(format!("node-{at}"), host);
        for project in ["red", "blue"] {
            let id = format!("{project}-{at}");
            inventory.instances.insert(
                id.clone(),
                Instance {
                    name: id,
                    host: format!("node-{at}"),
                    project: Some(project.to_owned()),
                    group: None,
                    vcpus: 1,
                    floating_ip: false,
                },
            );
        }
    }
    inventory
}

pub(crate) fn action(plugin: &str, kind: ActionType) -> Action {
    Action {
        plugin: plugin.to_owned(),
        kind,
        metadata: Metadata::default(),
    }
}

pub(crate) fn plan(workflow: &str) -> NewPlan {
    NewPlan {
        hosts: Vec::new(),
        state: "MAINTENANCE".to_owned(),
        maintenance_at: "2031-05-06 07:08:09".to_owned(),
        workflow: workflow.to_owned(),
        metadata: r#"{"release":"Zed","build":1.10}"#.parse().unwrap(),
        download: Vec::new(),
        actions: vec![
            action("prepare", ActionType::Pre),
            action("upgrade", ActionType::Host),
            action("firmware", ActionType::Compute),
            action("finalize", ActionType::Post),
        ],
    }
}

impl World {
    pub(crate) fn new(plan: NewPlan, inventory: Inventory) -> Self {
        let plan = plan.check().unwrap();
        Self {
            session: Session::new(Uuid::from_u128(7), plan, &inventory, NOW),
            inventory,
            timeouts: Timeouts::default(),
            now: NOW,
            steps: Vec::new(),
            jobs: Vec::new(),
            notices: Vec::new(),
            inbox: Vec::new(),
            silent: BTreeSet::new(),
            refusing: BTreeSet::new(),
            wants: InstanceAction::Migrate,
            stuck: BTreeSet::new(),
            broken: BTreeSet::new(),
            choices: BTreeMap::new(),
            every_reply_is_taken: true,
            scales_in: true,
        }
    }

    /// Plays until the session is idle, and returns its state then.
    pub(crate) fn play(&mut self) -> State {
        self.play_until(|_| false);
        assert!(self.session.state().is_over(), "{:?}", self.session);
        self.session.state()
    }

    /// Plays until the session rests or `stop` says so.
    pub(crate) fn play_until(&mut self, stop: impl Fn(&Self) -> bool) {
        for _ in 0..MOST {
            if stop(self) {
                return;
            }
            self.store();
            let job = self
                .session
                .advance(&self.inventory, &self.timeouts, self.now);
            match job.work {
                Work::Rest => return,
                Work::Wait { until } => self.pass(until),
                _ => self.work(job),
            }
        }
        panic!("the session does not come to an end: {:?}", self.session);
    }

    pub(crate) fn advance(&mut self) -> Job {
        self.session
            .advance(&self.inventory, &self.timeouts, self.now)
    }

    /// Stores the session and reads it back.
    pub(crate) fn store(&mut self) {
        self.steps.extend(self.session.take_steps());
        let json = serde_json::to_string(&self.session).unwrap();
        self.session = serde_json::from_str(&json).unwrap();
    }

    /// Lets one project answer; only if none has anything to say, time passes.
    fn pass(&mut self, until: Option<OffsetDateTime>) {
        while let Some(notice) = self.inbox.pop() {
            if let Some(reply) = self.reply_to(&notice) {
                let taken = self
                    .session
                    .reply(&notice.project, reply, &self.inventory, self.now);
                if self.every_reply_is_taken {
                    taken.unwrap_or_else(|error| panic!("{error}: {notice:?}"));
                }
                return;
            }
        }
        let until = until.unwrap();
        assert!(until > self.now, "{until} is not after {}", self.now);
        self.now = until;
    }

    fn reply_to(&self, notice: &Notice) -> Option<Reply> {
        let state: State = notice.state.parse().ok()?;
        let who = (notice.project.clone(), state);
        if self.silent.contains(&who) || state != self.session.state() {
            return None;
        }
        let emptying = matches!(state, State::PrepareMaintenance | State::PlannedMaintenance);
        let ids = self.session.instance_ids(&notice.project, &self.inventory);
        let actions = ids.into_iter().map(|id| (id, self.wants));
        let whole = emptying && notice.instance.is_none();
        Some(Reply {
            state,
            agreed: !self.refusing.contains(&who),
            instance_actions: actions.filter(|_| whole).collect(),
            instance: notice.instance.clone(),
            instance_action: None,
        })
    }

    fn work(&mut self, job: Job) {
        let done = match &job.work {
            Work::Enter { state, .. } if self.broken.contains(state.as_str()) => badly("denied"),
            Work::Act { action, .. } if self.broken.contains(&action.plugin) => badly("exit 1"),
            Work::Decide { proposed, .. } => Done::Chosen {
                next: self
                    .choices
                    .get(&self.session.state())
                    .cloned()
                    .unwrap_or_else(|| proposed.to_string()),
                reason: "because".to_owned(),
                task: None,
            },
            Work::Notify(notices) => {
                self.notices.extend(notices.iter().cloned());
                self.inbox.extend(notices.iter().cloned());
                for notice in notices {
                    self.heed(notice);
                }
                well()
            }
            Work::Instruct(instructions) => {
                for instruction in instructions {
                    self.move_away(&instruction.instance);
                }
                well()
            }
            _ => well(),
        };
        let again = self
            .session
            .advance(&self.inventory, &self.timeouts, self.now);
        assert_eq!(again, job, "a job stays the same until it is finished");
        self.now += Duration::milliseconds(10);
        self.session.finish(&job.key, done.clone(), self.now);
        let after = self.session.clone();
        self.session.finish(&job.key, done, self.now);
        assert_eq!(self.session, after, "a job is finished once");
        self.jobs.push(job);
    }

    /// What a project does on a notice, besides replying.
    fn heed(&mut self, notice: &Notice) {
        let ids = self.session.instance_ids(&notice.project, &self.inventory);
        match notice.state.as_str() {
            "SCALE_IN" if self.scales_in => {
                if let Some(id) = ids.first() {
                    self.inventory.instances.remove(id);
                }
            }
            "PREPARE_MAINTENANCE" | "PLANNED_MAINTENANCE"
                if self.wants == InstanceAction::OwnAction =>
            {
                for id in ids {
                    self.move_away(&id);
                }
            }
            _ => {}
        }
    }

    /// Moves an instance to the emptiest host that takes it, maintained ones first.
    pub(crate) fn move_away(&mut self, id: &str) {
        if self.stuck.contains(id) {
            return;
        }
        let Some(from) = self.inventory.instances.get(id) else {
            return;
        };
        let from = from.host.clone();
        let load = |host: &str| {
            let all = self.inventory.instances.values();
            all.filter(|instance| instance.host == host).count()
        };
        let to = self
            .inventory
            .hosts
            .iter()
            .filter(|(_, host)| host.kind == HostKind::Compute)
            .map(|(host, _)| host)
            .filter(|host| **host != from && !self.session.is_in_maintenance(host))
            .min_by_key(|host| (self.session.is_closed(host), load(host)))
            .cloned();
        if let (Some(to), Some(instance)) = (to, self.inventory.instances.get_mut(id)) {
            instance.host = to;
        }
    }

    /// Why the session failed.
    pub(crate) fn reason(&self) -> &str {
        &self.session.failure().unwrap().reason
    }

    /// How often a project was notified of this.
    pub(crate) fn told(&self, project: &str, state: &str) -> usize {
        self.notices
            .iter()
            .filter(|notice| notice.project == project && notice.state == state)
            .count()
    }

    /// How often a state was entered.
    pub(crate) fn entered(&self, state: State) -> usize {
        self.path()
            .iter()
            .filter(|entered| **entered == state)
            .count()
    }

    /// What all hosts may take.
    pub(crate) fn with_vcpus(mut self, vcpus: Option<u32>) -> Self {
        for host in self.inventory.hosts.values_mut() {
            host.vcpus = vcpus;
        }
        self
    }

    /// The states that were entered, in order.
    pub(crate) fn path(&self) -> Vec<State> {
        self.jobs
            .iter()
            .filter_map(|job| match job.work {
                Work::Enter { state, .. } => Some(state),
                _ => None,
            })
            .collect()
    }

    /// The plug-ins that ran, as `plugin@host`.
    pub(crate) fn plugins(&self) -> Vec<String> {
        self.jobs
            .iter()
            .filter_map(|job| match &job.work {
                Work::Act { action, host } => Some(format!("{}@{host}", action.plugin)),
                _ => None,
            })
            .collect()
    }
}

pub(crate) fn well() -> Done {
    Done::Well {
        message: String::new(),
        task: None,
    }
}

pub(crate) fn badly(reason: &str) -> Done {
    Done::Badly {
        reason: reason.to_owned(),
        task: None,
    }
}

/// The transitions that the steps report, checked one by one: each begins where the one
/// before ended. Answers them, and the state in which they end.
pub(crate) fn transitions(begin: State, steps: &[Step]) -> (Vec<(State, State)>, State) {
    let mut found = Vec::new();
    let mut state = begin;
    for (step, serial) in steps.iter().zip(1..) {
        assert_eq!(step.serial, serial, "steps are counted without gaps");
        assert_eq!(step.state, state, "{step:?}");
        match step.what.as_str() {
            "transition" => {
                let to: State = step.result.split(':').next().unwrap().parse().unwrap();
                found.push((state, to));
                state = to;
            }
            "resume" => {
                assert_eq!(state, State::MaintenanceFailed);
                let names = step.result.split(' ');
                state = names.filter_map(|word| word.parse().ok()).next().unwrap();
            }
            _ => {}
        }
    }
    (found, state)
}
