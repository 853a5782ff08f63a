//! The state machine under random orders of things.

use std::collections::{BTreeMap, HashMap, VecDeque};

use proptest::prelude::*;
use tenterhook_clock::{Clock as _, SteppedClock, Timepiece};
use tenterhook_engine::{AskedLimits, Digest, Kind, Outcome, Program, Report, Usage};
use tenterhook_ledger::{Amounts, Capacities, Capacity, Guard, Ledger, Resource};

use super::*;
use crate::registry::hook::FailurePolicy;
use crate::registry::recipe::{Recipe, RecipeContent};
use crate::runs::execution::State;
use crate::runs::retry::RetryPolicy;
use crate::runs::work::{ClaimedExecution, NewExecution, TaskChange};

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// A task arrives, with so many executions in each of its lanes.
    Arrive(Vec<u8>),
    /// Whatever has room begins: an attempt, or the loading of its program.
    Begin,
    /// One of the programs is loaded.
    Loaded(usize),
    /// One of those that run ends, with this status.
    End(usize, u8),
    /// The oldest settlements are stored.
    Store(usize),
    /// One of the tasks is cancelled.
    Cancel(usize),
    /// One execution of one of the tasks is cancelled.
    CancelOne(usize, usize),
    /// Time passes, and parked tasks come back.
    Pass,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => proptest::collection::vec(1_u8..4, 1..4).prop_map(Step::Arrive),
        5 => Just(Step::Begin),
        4 => (0_usize..9).prop_map(Step::Loaded),
        5 => (0_usize..9, 0_u8..3).prop_map(|(which, status)| Step::End(which, status)),
        3 => (1_usize..4).prop_map(Step::Store),
        1 => (0_usize..9).prop_map(Step::Cancel),
        1 => (0_usize..9, 0_usize..9).prop_map(|(task, execution)| Step::CancelOne(task, execution)),
        1 => Just(Step::Pass),
    ]
}

fn recipe() -> Arc<Recipe> {
    let content = RecipeContent {
        kind: Kind::Script,
        name: "x".into(),
        args: Vec::new(),
        env: BTreeMap::new(),
        limits: AskedLimits::default(),
        failure_policy: FailurePolicy::Open,
        retry: RetryPolicy {
            attempts: 3,
            backoff_ms: 86_400_000,
            backoff_max_ms: 86_400_000,
            ..RetryPolicy::default()
        },
    };
    Arc::new(Recipe::new(Digest::of(b""), content))
}

/// A scheduler with a store that remembers only what the rules are about.
struct World {
    scheduler: Scheduler,
    account: AccountId,
    recipe: Arc<Recipe>,
    ledger: Ledger,
    running: Vec<(Start, Guard)>,
    loading: Vec<Loading>,
    queued: VecDeque<Settlement>,
    /// What each task still owes, in order, as the store has it.
    owed: HashMap<TaskId, Vec<ClaimedExecution>>,
    parked: Vec<TaskId>,
    tasks: Vec<TaskId>,
    ended: HashMap<TaskId, usize>,
    over: HashMap<ExecutionId, State>,
    clock: SteppedClock,
}

impl World {
    fn new() -> Self {
        let slots = Capacity::of(5).with_each(4);
        let ledger = Ledger::new(Capacities::default().with(Resource::RunSlots, slots));
        let clock = SteppedClock::at(OffsetDateTime::UNIX_EPOCH);
        Self {
            scheduler: Scheduler::new(
                &Settings::default(),
                ledger.clone(),
                Timepiece::start(Arc::new(clock.clone()), None),
            ),
            ledger,
            account: AccountId::generate(),
            recipe: recipe(),
            running: Vec::new(),
            loading: Vec::new(),
            queued: VecDeque::new(),
            owed: HashMap::new(),
            parked: Vec::new(),
            tasks: Vec::new(),
            ended: HashMap::new(),
            over: HashMap::new(),
            clock,
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Arrive(lanes) => {
                let id = TaskId::generate();
                let owed = (0..)
                    .zip(lanes)
                    .flat_map(|(lane, count)| vec![lane; count.into()]);
                let owed: Vec<_> = owed.map(|lane| self.execution(lane)).collect();
                self.owed.insert(id, owed);
                self.tasks.push(id);
                self.load(id);
            }
            Step::Begin => self.begin(),
            Step::Loaded(which) if !self.loading.is_empty() => {
                let which = which % self.loading.len();
                self.loaded(which);
            }
            Step::End(which, status) if !self.running.is_empty() => {
                let (start, guard) = self.running.swap_remove(which % self.running.len());
                drop(guard);
                let status = if start.cancel.is_cancelled() {
                    None
                } else {
                    Some(status)
                };
                self.end(&start, status);
            }
            Step::Store(count) => (0..count).for_each(|_| self.store()),
            Step::Cancel(which) if !self.tasks.is_empty() => {
                let task = self.tasks[which % self.tasks.len()];
                self.queued.extend(
                    self.scheduler
                        .cancel(task, self.clock.now())
                        .unwrap_or_default(),
                );
            }
            Step::CancelOne(task, which) if !self.tasks.is_empty() => {
                let task = self.tasks[task % self.tasks.len()];
                let owed = &self.owed[&task];
                if let Some(execution) = owed.get(which % owed.len().max(1)) {
                    let settlements =
                        self.scheduler
                            .cancel_execution(task, execution.new.id, self.clock.now());
                    self.queued.extend(settlements.unwrap_or_default());
                }
            }
            Step::Pass => self.pass(),
            Step::Loaded(_) | Step::End(..) | Step::Cancel(_) | Step::CancelOne(..) => {}
        }
    }

    /// Begins one thing, if there is room: loads a program, and runs what was loaded.
    fn begin(&mut self) {
        let mut guards = Vec::new();
        let mut judge =
            |account: AccountId, _: &NewExecution, program: Option<&Result<Program, String>>| {
                let slot = Amounts::of(Resource::RunSlots, 1);
                match (self.ledger.take(account.holder(), slot), program) {
                    (Err(_), _) => Admission::Wait,
                    (Ok(guard), None) => Admission::Load(guard),
                    (Ok(guard), Some(_)) => {
                        guards.push(guard);
                        Admission::Run(Err("there are no programs here".into()))
                    }
                }
            };
        match self.scheduler.next(&mut judge) {
            None => {}
            Some(Next::Load(loading)) => self.loading.push(loading),
            Some(Next::Run(start, _)) => {
                let guard = guards.pop().expect("what runs was admitted");
                self.running.push((*start, guard));
            }
        }
        assert!(self.running.len() + self.loading.len() <= 4);
    }

    fn loaded(&mut self, which: usize) {
        let mut loading = self.loading.swap_remove(which);
        loading.give_back();
        self.scheduler
            .put_back(loading, Err("there are no programs here".into()));
        self.scheduler.unblock();
    }

    fn execution(&self, lane: u32) -> ClaimedExecution {
        ClaimedExecution {
            new: NewExecution {
                id: ExecutionId::generate(),
                hook: None,
                recipe: Arc::clone(&self.recipe),
                server: None,
                container: None,
                lane,
            },
            attempt: 0,
            failures: 0,
            crashes: 0,
            due_at: None,
            wait: None,
        }
    }

    fn load(&mut self, id: TaskId) {
        let reserved = self.scheduler.hold(self.account, 100);
        let settlements = self.scheduler.load(Load {
            id,
            reserved,
            context: Arc::default(),
            executions: self.owed[&id].clone(),
            over: Vec::new(),
            started_at: None,
            cancelled: false,
            deleted_hooks: Vec::new(),
            task: None,
        });
        self.queued.extend(settlements);
    }

    fn end(&mut self, start: &Start, status: Option<u8>) {
        let outcome = status.map_or(Outcome::Cancelled, |status| Outcome::Exited { status });
        let report = Report {
            outcome,
            usage: Usage::default(),
            stdout: Vec::new(),
            stderr: Vec::new(),
            dropped_bytes: 0,
            files_digest: None,
            verdict: None,
            verdict_fault: None,
            awake_us: 0,
        };
        let ended = Ended {
            recording: None,
            not_kept: None,
            result: Ok(report),
            at: self.clock.now(),
        };
        self.queued
            .extend(self.scheduler.finish(start, ended, &mut rand::rng()));
    }

    fn store(&mut self) {
        let Some(settlement) = self.queued.pop_front() else {
            return;
        };
        let attempt = settlement
            .execution
            .as_ref()
            .expect("every settlement here is of an attempt");
        let owed = self
            .owed
            .get_mut(&settlement.task)
            .expect("only known tasks are settled");
        if attempt.state.is_over() {
            assert_eq!(
                self.over.insert(attempt.id, attempt.state),
                None,
                "an execution ended twice"
            );
            owed.retain(|execution| execution.new.id != attempt.id);
        } else {
            let waits = owed
                .iter_mut()
                .find(|execution| execution.new.id == attempt.id)
                .expect("it is owed");
            assert!(
                attempt.record.attempt > waits.attempt,
                "an attempt is not counted twice"
            );
            (waits.attempt, waits.failures, waits.due_at) =
                (attempt.record.attempt, attempt.failures, attempt.due_at);
        }
        let due = self.scheduler.settled(&Settled::from(&settlement));
        match settlement.task_change {
            TaskChange::None => assert_eq!(due, None),
            TaskChange::Ended { .. } => {
                assert!(
                    self.owed[&settlement.task].is_empty(),
                    "a task ended before its executions"
                );
                *self.ended.entry(settlement.task).or_insert(0) += 1;
            }
            TaskChange::Parked { until, open } => {
                assert_eq!(open as usize, self.owed[&settlement.task].len());
                assert_eq!(due, Some(until));
                self.parked.push(settlement.task);
            }
        }
    }

    /// A day and more goes by: whatever waits to be tried again is due.
    fn pass(&mut self) {
        self.clock.pass(Duration::from_secs(2 * 24 * 60 * 60));
        self.scheduler.resume();
        for task in std::mem::take(&mut self.parked) {
            for execution in self.owed.get_mut(&task).expect("it was parked") {
                execution.due_at = None;
            }
            self.load(task);
        }
    }

    /// Lets everything come to its end.
    fn finish(&mut self) {
        for _ in 0..10_000 {
            self.begin();
            while !self.loading.is_empty() {
                self.loaded(0);
            }
            while let Some((start, guard)) = self.running.pop() {
                drop(guard);
                let status = (!start.cancel.is_cancelled()).then_some(0);
                self.end(&start, status);
            }
            while !self.queued.is_empty() {
                self.store();
            }
            if self.ended.len() == self.tasks.len() {
                return;
            }
            self.pass();
        }
        panic!("some task never ends");
    }
}

proptest! {
    #[test]
    fn each_execution_and_each_task_ends_exactly_once(steps in proptest::collection::vec(step(), 0..120)) {
        let mut world = World::new();
        let mut arrived = 0;
        for step in steps {
            if let Step::Arrive(lanes) = &step {
                arrived += lanes.iter().map(|count| usize::from(*count)).sum::<usize>();
            }
            world.take(step);
        }
        world.finish();
        prop_assert_eq!(world.over.len(), arrived);
        prop_assert!(world.ended.values().all(|times| *times == 1));
        let busy = world.scheduler.busyness();
        prop_assert_eq!((busy.running, busy.waiting, busy.tasks), (0, 0, 0));
        prop_assert!(world.ledger.levels().iter().all(|level| level.taken == 0));
        prop_assert!(world.scheduler.loaded.is_empty());
    }
}

#[test]
fn one_accounts_events_leave_memory_for_anothers() {
    let queue = Capacity::of(1_000);
    let ledger = Ledger::new(Capacities::default().with(Resource::Queue, queue));
    let clock = SteppedClock::at(OffsetDateTime::UNIX_EPOCH);
    let mut scheduler = Scheduler::new(
        &Settings::default(),
        ledger,
        Timepiece::start(Arc::new(clock), None),
    );
    let [one, two] = [AccountId::generate(), AccountId::generate()];
    let places: Vec<_> = std::iter::from_fn(|| scheduler.reserve(one, 100)).collect();
    assert_eq!(places.len(), 8);
    // The other still has room for several, and both have it for their first in any case.
    assert!(scheduler.room(two) > 1);
    let _place = scheduler.reserve(two, 900).unwrap();
    assert_eq!(scheduler.room(AccountId::generate()), 1);
    for place in places {
        scheduler.give_up(place);
    }
    assert!(scheduler.room(one) > 1);
}
