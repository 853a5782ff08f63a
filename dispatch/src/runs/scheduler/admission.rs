//! Whose turn it is, and whether there is room for it: from a queued lane to an attempt
//! that begins.
//!
//! What there is to share out is not known here: the caller that asks for the next
//! attempt brings the judge of it.

use std::sync::Arc;
use std::time::Instant;

use tenterhook_engine::{Permit, Program};
use tenterhook_ledger::Guard;
use tokio_util::sync::CancellationToken;

use super::Scheduler;
use super::loaded::Running;
use crate::id::{AccountId, TaskId};
use crate::runs::environment::Context;
use crate::runs::fair::{Charge, Decision};
use crate::runs::live::Live;
use crate::runs::work::NewExecution;

/// A lane of a task that waits for its turn.
pub(crate) struct QueuedRun {
    pub(super) task: TaskId,
    pub(super) lane: usize,
    pub(super) since: Instant,
    /// Its program, once it was loaded for this turn, or why it could not be.
    program: Option<Result<Program, String>>,
}

impl QueuedRun {
    pub(super) fn new(task: TaskId, lane: usize) -> Self {
        Self {
            task,
            lane,
            since: Instant::now(),
            program: None,
        }
    }
}

/// Whether there is room for an execution.
pub(crate) enum Admission {
    /// It begins, or fails at once for a reason that is the host's.
    Run(Result<Admitted, String>),
    /// Its needs are unknown before its program is loaded; there is room for that.
    Load(Guard),
    /// There is none for it; another account may have some.
    Wait,
}

/// A program and what it is admitted with.
pub(crate) struct Admitted {
    pub(crate) program: Program,
    pub(crate) permit: Permit,
}

/// What to do next.
#[expect(
    clippy::large_enum_variant,
    reason = "it is moved once, from the queue into the task that does it"
)]
pub(crate) enum Next {
    /// Run an attempt.
    Run(Box<Start>, Result<Admitted, String>),
    /// Load the program of a turn, and put that back.
    Load(Loading),
}

/// A turn whose program has to be loaded.
pub(crate) struct Loading {
    pub(crate) account: AccountId,
    pub(crate) execution: NewExecution,
    guard: Option<Guard>,
    turn: QueuedRun,
    charge: Charge,
}

impl Loading {
    /// Gives back what loading takes.
    pub(crate) fn give_back(&mut self) {
        self.guard = None;
    }
}

/// One attempt to begin now.
pub(crate) struct Start {
    pub(crate) account: AccountId,
    pub(crate) task: TaskId,
    pub(crate) lane: usize,
    pub(crate) context: Arc<Context>,
    pub(crate) execution: NewExecution,
    pub(crate) attempt: u32,
    pub(crate) cancel: CancellationToken,
    pub(crate) live: Arc<Live>,
    pub(crate) charge: Charge,
}

/// Judges whether there is room for an execution of an account, whose program may have
/// been loaded already.
pub(crate) type Judge<'a> =
    dyn FnMut(AccountId, &NewExecution, Option<&Result<Program, String>>) -> Admission + 'a;

impl Scheduler {
    /// Takes the next thing to do for which there is room.
    pub(crate) fn next(&mut self, judge: &mut Judge<'_>) -> Option<Next> {
        while !self.stopping && !self.is_reserved() {
            self.release_suspect();
            let tasks = &self.tasks;
            let (account, turn, charge, admission) = self.queue.take(|account, turn| {
                let lane = tasks
                    .get(&turn.task)
                    .and_then(|loaded| loaded.lanes.get(turn.lane));
                let Some(pending) = lane.and_then(|lane| lane.next()) else {
                    // It was cancelled meanwhile.
                    return Decision::Take(None);
                };
                match judge(account, &pending.new, turn.program.as_ref()) {
                    Admission::Wait => Decision::Wait,
                    Admission::Run(admitted) => Decision::Take(Some(Ok(admitted))),
                    Admission::Load(guard) => {
                        Decision::Take(Some(Err((guard, pending.new.clone()))))
                    }
                }
            })?;
            match admission {
                None => {
                    self.queue.pass(account, charge);
                    let now = self.timepiece.now().steady;
                    self.suspects.ended((turn.task, turn.lane), now);
                }
                Some(Ok(admitted)) => {
                    let start = self.begin(account, &turn, charge);
                    return Some(Next::Run(Box::new(start), admitted));
                }
                Some(Err((guard, execution))) => {
                    self.loading += 1;
                    return Some(Next::Load(Loading {
                        account,
                        execution,
                        guard: Some(guard),
                        turn,
                        charge,
                    }));
                }
            }
        }
        None
    }

    /// Puts a turn back whose program was loaded, before all others of its account.
    pub(crate) fn put_back(&mut self, loading: Loading, program: Result<Program, String>) {
        let Loading {
            account,
            mut turn,
            charge,
            ..
        } = loading;
        self.loading -= 1;
        turn.program = Some(program);
        self.queue.put_back(account, charge, turn);
    }

    /// Something was given back: what had no room is judged again.
    pub(crate) fn unblock(&mut self) {
        self.queue.unblock();
    }

    /// Whether anything waits for room.
    pub(crate) fn is_waited_for(&self) -> bool {
        !self.stopping && self.queue.is_waited_for()
    }

    /// Begins the first execution of a lane.
    fn begin(&mut self, account: AccountId, turn: &QueuedRun, charge: Charge) -> Start {
        let now = self.timepiece.now();
        let is_alone = self.running == 0;
        self.suspects
            .started((turn.task, turn.lane), now.steady, is_alone);
        self.running += 1;
        let loaded = self
            .tasks
            .get_mut(&turn.task)
            .expect("a task is there whose lane was looked at");
        let pending = loaded.lanes[turn.lane]
            .begin()
            .expect("the lane waits for its turn");
        let started_at = now.wall;
        let running = Running {
            id: pending.new.id,
            attempt: pending.attempt.saturating_add(1),
            started_at,
            cancel: CancellationToken::new(),
            cancelled: false,
            live: Arc::new(Live::default()),
        };
        let start = Start {
            account,
            task: turn.task,
            lane: turn.lane,
            context: Arc::clone(&loaded.context),
            execution: pending.new.clone(),
            attempt: running.attempt,
            cancel: running.cancel.clone(),
            live: Arc::clone(&running.live),
            charge,
        };
        loaded.started_at = Some(
            loaded
                .started_at
                .map_or(started_at, |first| first.min(started_at)),
        );
        loaded.running.push(running);
        start
    }
}
