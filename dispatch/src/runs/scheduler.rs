//! The tasks in memory and what of them runs: one plain state machine.
//!
//! It neither waits nor stores. The code that changes it gets the settlements
//! that follow, and queues them before it lets go of the lock, so that they
//! reach the store in the order of what happened.

mod admission;
mod cancel;
mod finish;
mod late;
mod loaded;
mod suspects;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tenterhook_clock::Timepiece;
use tenterhook_ledger::{Guard, Ledger, Resource};
use time::OffsetDateTime;
use tokio::sync::oneshot;

use self::admission::QueuedRun;
pub(crate) use self::admission::{Admission, Admitted, Loading, Next, Start};
pub(crate) use self::cancel::HOOK_DELETED;
pub(crate) use self::finish::{Ended, Settled};
use self::late::Late;
pub(crate) use self::late::LateOutputs;
use self::loaded::{LaneStatus, Leaving};
pub(crate) use self::loaded::{Load, Loaded};
use self::suspects::Suspects;
use crate::id::{AccountId, ExecutionId, TaskId};
use crate::runs::fair::FairQueue;
use crate::runs::live::Live;
use crate::runs::retry::WAIT_MAX;
use crate::runs::task::TaskDetail;
use crate::runs::work::Settlement;
use crate::settings::Settings;

/// The tasks in memory and what of them runs.
pub(crate) struct Scheduler {
    timepiece: Timepiece,
    tasks: HashMap<TaskId, Loaded>,
    queue: FairQueue<QueuedRun>,
    suspects: Suspects,
    /// Tasks of each account in memory or on their way there.
    loaded: HashMap<AccountId, usize>,
    /// Owns the room for their events.
    ledger: Ledger,
    /// Attempts that have begun and not ended, for those who ask.
    running: usize,
    /// Turns whose programs are being loaded: they are neither queued nor running.
    loading: usize,
    account_loaded: usize,
    /// Accounts with unowned tasks in the store, and when the
    /// first of them is due, in what has passed by then.
    backlog: HashMap<AccountId, Duration>,
    waiters: HashMap<TaskId, Vec<oneshot::Sender<WaitOutcome>>>,
    /// Outputs that are stored after the end of their attempts.
    late: Vec<Late>,
    /// Lanes that wait to be tried again while others of their task run.
    timers: BinaryHeap<Reverse<(Duration, TaskId, usize)>>,
    stopping: bool,
    abandoned: bool,
}

/// What a waiter gets: the task as it ended, or a note that it must read it itself.
pub(crate) type WaitOutcome = Option<Arc<TaskDetail>>;

/// What is going on, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Busyness {
    pub(crate) running: usize,
    pub(crate) waiting: usize,
    pub(crate) tasks: usize,
    pub(crate) backlog: usize,
    pub(crate) oldest: Duration,
}

impl Scheduler {
    pub(crate) fn new(settings: &Settings, ledger: Ledger, timepiece: Timepiece) -> Self {
        Self {
            timepiece,
            tasks: HashMap::new(),
            queue: FairQueue::new(),
            suspects: Suspects::default(),
            loaded: HashMap::new(),
            ledger,
            running: 0,
            loading: 0,
            account_loaded: settings.account_loaded.max(1),
            backlog: HashMap::new(),
            waiters: HashMap::new(),
            late: Vec::new(),
            timers: BinaryHeap::new(),
            stopping: false,
            abandoned: false,
        }
    }

    /// How many more tasks of an account may be loaded; one always, if it has none.
    pub(crate) fn room(&self, account: AccountId) -> usize {
        let loaded = self.loaded.get(&account).copied().unwrap_or(0);
        if self.ledger.room(account.holder(), Resource::Queue) == 0 {
            return usize::from(loaded == 0);
        }
        self.account_loaded.saturating_sub(loaded)
    }

    /// Whether there is room for enough tasks of an account: claiming them one
    /// by one would cost more than it brings.
    fn is_worth_a_claim(&self, account: AccountId) -> bool {
        let room = self.room(account);
        room >= self.account_loaded.div_ceil(4) || (room > 0 && !self.loaded.contains_key(&account))
    }

    /// Whether a claim for an account would bring something now.
    pub(crate) fn wants_claim(&self, account: AccountId) -> bool {
        self.backlog.contains_key(&account) && self.is_worth_a_claim(account)
    }

    /// Holds a place for a task that is about to be stored. `None` when it must
    /// wait in the store: there is no room, or others wait there before it.
    pub(crate) fn reserve(&mut self, account: AccountId, bytes: usize) -> Option<Reserved> {
        if self.stopping
            || self
                .backlog
                .get(&account)
                .is_some_and(|due| *due <= self.timepiece.now().steady)
            || self.room(account) == 0
        {
            return None;
        }
        Some(self.hold(account, bytes))
    }

    /// Holds a place for a task that was claimed. There was room for one, however
    /// large its event is.
    pub(crate) fn hold(&mut self, account: AccountId, bytes: usize) -> Reserved {
        *self.loaded.entry(account).or_insert(0) += 1;
        let mut guard = self.ledger.empty(account.holder());
        guard.overdraw(Resource::Queue, bytes as u64);
        Reserved {
            account,
            _guard: guard,
        }
    }

    /// Gives up a place.
    pub(crate) fn give_up(&mut self, reserved: Reserved) {
        if let Some(count) = self.loaded.get_mut(&reserved.account) {
            *count -= 1;
            if *count == 0 {
                self.loaded.remove(&reserved.account);
            }
        }
    }

    /// Takes a task in and queues its lanes. Returns the settlements of executions
    /// that were cancelled on the way, of those whose hooks were deleted, and of those that
    /// have killed the server too often.
    pub(crate) fn load(&mut self, load: Load) -> Vec<Settlement> {
        let (id, account) = (load.id, load.reserved.account);
        let cancelled = load.cancelled;
        let now = self.timepiece.now();
        let mut loaded = Loaded::new(load, self.timepiece.for_waits(now));
        if cancelled {
            self.tasks.insert(id, loaded);
            return self.cancel(id, now).unwrap_or_default();
        }
        let given_up = loaded.give_up(id, now);
        let mut queued = Vec::new();
        for (lane, turns) in loaded.lanes.iter_mut().enumerate() {
            match turns.refresh(now) {
                LaneStatus::Queued => queued.push(lane),
                LaneStatus::Parked(due) => self.timers.push(Reverse((due.steady, id, lane))),
                LaneStatus::Running | LaneStatus::Over => {}
            }
        }
        self.tasks.insert(id, loaded);
        for lane in queued {
            self.line_up(account, id, lane);
        }
        given_up
    }

    /// Queues a lane that can run: among the suspects if its next execution was
    /// running when the server was killed.
    fn line_up(&mut self, account: AccountId, task: TaskId, lane: usize) {
        let first = self.tasks.get(&task).and_then(|task| task.first(lane));
        match first.map_or(0, |first| first.crashes) {
            0 => self.queue.push(account, QueuedRun::new(task, lane)),
            crashes => {
                let now = self.timepiece.now().steady;
                self.suspects.push(account, (task, lane), crashes, now);
            }
        }
    }

    /// Lets the next suspect take its turn like any other, if it is time.
    fn release_suspect(&mut self) {
        if !self.suspects.wait() {
            return;
        }
        let is_idle =
            self.running == 0 && self.loading == 0 && self.queue.waiting().next().is_none();
        let now = self.timepiece.now().steady;
        if let Some((account, (task, lane))) = self.suspects.release(now, is_idle) {
            self.queue.push(account, QueuedRun::new(task, lane));
        }
    }

    /// Whether a suspect has the machine to itself.
    fn is_reserved(&self) -> bool {
        self.running > 0 && self.suspects.is_alone(self.timepiece.now().steady)
    }

    /// Queues the lanes whose wait has ended. Returns when the next one's ends.
    pub(crate) fn resume(&mut self) -> Option<Duration> {
        let timer = self.resume_lanes();
        let suspect = self.suspects.next_look(self.timepiece.now().steady);
        match (timer, suspect) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn resume_lanes(&mut self) -> Option<Duration> {
        let now = self.timepiece.now();
        while let Some(Reverse((due, task, lane))) = self.timers.peek().copied() {
            if due > now.steady {
                return Some(due);
            }
            self.timers.pop();
            // The task may have left, and even have come back, in the meantime.
            if let Some(loaded) = self.tasks.get_mut(&task)
                && loaded.leaving == Leaving::No
                && loaded
                    .lanes
                    .get_mut(lane)
                    .is_some_and(|lane| lane.wake(now))
            {
                let account = loaded.account;
                self.line_up(account, task, lane);
            }
        }
        None
    }

    /// Registers a waiter for the end of a task.
    pub(crate) fn wait_for(&mut self, task: TaskId) -> oneshot::Receiver<WaitOutcome> {
        let (tell, outcome) = oneshot::channel();
        let waiters = self.waiters.entry(task).or_default();
        waiters.retain(|waiter| !waiter.is_closed());
        waiters.push(tell);
        outcome
    }

    /// Forgets waiters that have gone away.
    pub(crate) fn forget_waiters(&mut self, task: TaskId) {
        if let Some(waiters) = self.waiters.get_mut(&task) {
            waiters.retain(|waiter| !waiter.is_closed());
            if waiters.is_empty() {
                self.waiters.remove(&task);
            }
        }
    }

    /// Notifies all waiters of a task that it is finished.
    pub(crate) fn notify(&mut self, task: TaskId, detail: &WaitOutcome) {
        for waiter in self.waiters.remove(&task).unwrap_or_default() {
            let _gone = waiter.send(detail.clone());
        }
    }

    /// A task in memory.
    pub(crate) fn task(&self, id: TaskId) -> Option<&Loaded> {
        self.tasks.get(&id)
    }

    /// Where the latest attempt of a running execution prints to, and which that is.
    pub(crate) fn live(&self, task: TaskId, id: ExecutionId) -> Option<(u32, Arc<Live>)> {
        self.tasks
            .get(&task)?
            .latest(id)
            .map(|running| (running.attempt, Arc::clone(&running.live)))
    }

    /// The account's executions that run, newest first, each once.
    pub(crate) fn running(&self, account: AccountId) -> Vec<ExecutionId> {
        let loaded = self.tasks.values();
        let mut ids: Vec<_> = loaded
            .filter(|loaded| loaded.account == account)
            .flat_map(|loaded| loaded.running.iter().map(|running| running.id))
            .collect();
        ids.sort_unstable_by(|one, other| other.cmp(one));
        ids.dedup();
        ids
    }

    /// The account's tasks whose attempts have printed something that is not stored yet,
    /// with how much; one may stand there twice.
    pub(crate) fn printing(&self, account: AccountId) -> Vec<(TaskId, u64)> {
        let own = self
            .tasks
            .iter()
            .filter(|(_, loaded)| loaded.account == account && !loaded.running.is_empty());
        own.map(|(id, loaded)| (*id, loaded.printed_bytes()))
            .chain(self.late_bytes(account))
            .filter(|(_, bytes)| *bytes > 0)
            .collect()
    }

    /// Notes that an account has an unowned task in the store, due when waits
    /// are stored to end at `due_at`.
    pub(crate) fn note_backlog(&mut self, account: AccountId, due_at: OffsetDateTime) {
        let now = self.timepiece.now_for_waits();
        self.note_due(account, now.until(due_at, WAIT_MAX));
    }

    /// Notes that an account has an unowned task in the store, due after `wait`.
    pub(crate) fn note_due(&mut self, account: AccountId, wait: Duration) {
        let due_at = self.timepiece.now().steady.saturating_add(wait);
        self.backlog
            .entry(account)
            .and_modify(|due| *due = (*due).min(due_at))
            .or_insert(due_at);
    }

    /// Takes an account out of the backlog whose tasks are due and for which
    /// there is room, with how many; else returns when to check again.
    pub(crate) fn claimable(&mut self) -> Result<(AccountId, usize), Option<Duration>> {
        if self.stopping {
            return Err(None);
        }
        let now = self.timepiece.now().steady;
        let with_room = self
            .backlog
            .iter()
            .filter(|(account, _)| self.is_worth_a_claim(**account));
        let Some((&account, &due)) = with_room.min_by_key(|(_, due)| **due) else {
            return Err(None);
        };
        if due > now {
            return Err(Some(due));
        }
        self.backlog.remove(&account);
        Ok((account, self.room(account)))
    }

    /// Stops starting anything, and returns the tasks that are not being run.
    pub(crate) fn stop(&mut self) -> Vec<(AccountId, TaskId)> {
        self.stopping = true;
        self.tasks
            .iter()
            .filter(|(_, loaded)| loaded.running.is_empty() && loaded.leaving == Leaving::No)
            .map(|(id, loaded)| (loaded.account, *id))
            .collect()
    }

    /// Ends the runs that are still going on; they will be run again.
    pub(crate) fn abandon(&mut self) {
        self.abandoned = true;
        for running in self.tasks.values().flat_map(|loaded| &loaded.running) {
            running.cancel.cancel();
        }
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping
    }

    pub(crate) fn busyness(&self) -> Busyness {
        let oldest = self.queue.waiting().map(|turn| turn.since).min();
        Busyness {
            running: self.running,
            waiting: self.tasks.values().map(Loaded::waiting).sum(),
            tasks: self.tasks.len(),
            backlog: self.backlog.len(),
            oldest: oldest.map(|since| since.elapsed()).unwrap_or_default(),
        }
    }
}

/// A place in memory that is held for a task.
#[derive(Debug)]
#[must_use]
pub(crate) struct Reserved {
    pub(crate) account: AccountId,
    _guard: Guard,
}

#[cfg(test)]
mod tests;
