//! What follows when an attempt has ended: for its execution, lane and task.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use tenterhook_clock::Moment;
use tenterhook_engine::{Limit, Outcome, Report};
use time::OffsetDateTime;

use super::cancel::is_of;
use super::loaded::{Kept, LaneStatus, Leaving, Loaded};
use super::{Scheduler, Start};
use crate::id::{AccountId, ExecutionId, TaskId};
use crate::runs::execution::{AttemptRecord, Execution, State};
use crate::runs::fair::cost;
use crate::runs::recording::Recording;
use crate::runs::retry::RetryPolicy;
use crate::runs::task::{Progress, TaskDetail, state_of};
use crate::runs::work::{Attempt, ClaimedExecution, Settlement, TaskChange};

/// How an attempt ended.
pub(crate) struct Ended {
    /// What it left behind, or what the host could not do.
    pub(crate) result: Result<Report, String>,
    /// What makes it repeatable, if it has left something behind.
    pub(crate) recording: Option<Recording>,
    /// What of its output could not be kept, and why.
    pub(crate) not_kept: Option<String>,
    pub(crate) at: Moment,
}

/// Most bytes kept of a task for those who wait for it; beyond, they ask the store.
pub(super) const KEPT_BYTES: usize = 128 * 1024;

impl Scheduler {
    /// Takes note that an attempt has ended, and queues what comes after it.
    pub(crate) fn finish(
        &mut self,
        start: &Start,
        ended: Ended,
        rng: &mut impl Rng,
    ) -> Option<Settlement> {
        let cost = ended.result.as_ref().map_or(0, cost);
        self.running -= 1;
        self.suspects
            .ended((start.task, start.lane), ended.at.steady);
        self.queue.done(start.account, start.charge, cost);
        self.queue.unblock();
        let loaded = self.tasks.get_mut(&start.task)?;
        let running = loaded.latest(start.execution.id)?;
        let cancelled = running.cancelled || loaded.cancelled;
        let started_at = running.started_at;
        let at = ended.at;
        let for_waits = self.timepiece.for_waits(at);
        let lane = &mut loaded.lanes[start.lane];
        let first = lane.first_mut()?;
        let retried = match is_of(first, &loaded.deleted_hooks) {
            _ if cancelled => Retried::No,
            true => Retried::NoMore,
            false => Retried::AsItsHookSays,
        };
        let (attempt, wait) = attempt(first, start.attempt, started_at, ended, retried, rng);
        let again = wait.map(|wait| for_waits.after(wait));
        let attempt = Attempt {
            due_at: again.map(|due| due.wall),
            ..attempt
        };
        match again {
            Some(_) => {
                first.attempt = attempt.record.attempt;
                first.failures = attempt.failures;
                // It has come to an end without the server's.
                first.crashes = 0;
                (first.due_at, first.wait) = (attempt.due_at, attempt.wait);
                lane.waits_until(again);
            }
            None => {
                let done = lane.pop().expect("it was looked at above");
                loaded.end(&done, &attempt);
            }
        }
        let status = loaded.lanes[start.lane].refresh(at);
        let task_change = loaded.change(at.wall);
        match status {
            LaneStatus::Queued => self.line_up(start.account, start.task, start.lane),
            LaneStatus::Parked(due) if task_change == TaskChange::None => {
                self.timers
                    .push(Reverse((due.steady, start.task, start.lane)));
            }
            LaneStatus::Parked(_) | LaneStatus::Running | LaneStatus::Over => {}
        }
        Some(Settlement {
            account: start.account,
            task: start.task,
            execution: Some(attempt),
            task_change,
        })
    }

    /// Charges an account for a run that was no turn of its own.
    pub(crate) fn charge(&mut self, account: AccountId, report: &Report) {
        self.queue.charge(account, cost(report));
    }

    /// Takes note that a settlement is stored. Tells those who wait when the
    /// task is finished, and when the task rests in the store, until when.
    pub(crate) fn settled(&mut self, settlement: &Settled) -> Option<OffsetDateTime> {
        let loaded = self.tasks.get_mut(&settlement.task)?;
        if let Some((execution, attempt)) = settlement.attempt
            && let Some(at) = loaded
                .running
                .iter()
                .position(|running| running.id == execution && running.attempt == attempt)
        {
            loaded.running.swap_remove(at).live.close();
        }
        let leaves = settlement.task_change != TaskChange::None;
        if !leaves || loaded.leaving == Leaving::No {
            return None;
        }
        let mut loaded = self.tasks.remove(&settlement.task)?;
        for running in &loaded.running {
            running.live.close();
        }
        if let Some(reserved) = loaded.reserved.take() {
            self.give_up(reserved);
        }
        match loaded.leaving {
            Leaving::Parked(until) => Some(until),
            Leaving::Ended | Leaving::No => {
                let detail = loaded.kept.take().map(|kept| Arc::new(kept.detail()));
                self.notify(settlement.task, &detail);
                None
            }
        }
    }
}

/// What of a settlement is still needed once it is stored.
#[derive(Clone, Copy)]
pub(crate) struct Settled {
    pub(crate) task: TaskId,
    attempt: Option<(ExecutionId, u32)>,
    task_change: TaskChange,
}

impl From<&Settlement> for Settled {
    fn from(settlement: &Settlement) -> Self {
        Self {
            task: settlement.task,
            attempt: settlement
                .execution
                .as_ref()
                .map(|attempt| (attempt.id, attempt.record.attempt)),
            task_change: settlement.task_change,
        }
    }
}

/// Whether an attempt that has failed may be followed by another one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Retried {
    AsItsHookSays,
    /// It was cancelled.
    No,
    /// Its hook was deleted.
    NoMore,
}

/// Decides what one attempt means for its execution, and after how long it is tried again.
fn attempt(
    execution: &ClaimedExecution,
    attempt: u32,
    started_at: OffsetDateTime,
    ended: Ended,
    retried: Retried,
    rng: &mut impl Rng,
) -> (Attempt, Option<Duration>) {
    let retry = &execution.new.recipe.content.retry;
    let cancelled = retried == Retried::No;
    let (report, mut error) = match ended.result {
        Ok(report) => (Some(report), ended.not_kept),
        Err(error) => (None, Some(error)),
    };
    let outcome = report.as_ref().map(|report| report.outcome.clone());
    let well = report.as_ref().is_some_and(Report::is_success);
    // No fault of its own: it does not count against its retries.
    let no_room = matches!(outcome, Some(Outcome::Stopped { limit: Limit::Host }));
    let failures = execution.failures + u32::from(!well && !no_room);
    let counts_as = report.as_ref().map(counts_as);
    let wait = if well || cancelled {
        None
    } else if no_room {
        RetryPolicy::wait_for_room(attempt.saturating_sub(failures), rng)
    } else {
        let again = retry.again(counts_as.as_ref(), failures);
        again.then(|| retry.wait(failures, rng))
    };
    let wait = match retried {
        Retried::NoMore if wait.is_some() => {
            error.get_or_insert_with(|| "it is not tried again: its hook was deleted".into());
            None
        }
        _ => wait,
    };
    let again = wait.is_some();
    let state = match &outcome {
        _ if well => State::Finished,
        _ if again => State::Waiting,
        Some(Outcome::Cancelled) => State::Canceled,
        None if cancelled => State::Canceled,
        _ => State::Failed,
    };
    let attempt = Attempt {
        id: execution.new.id,
        state,
        failures,
        dead: state == State::Failed && (outcome.is_none() || no_room || retry.attempts > 1),
        due_at: None,
        wait,
        record: AttemptRecord {
            attempt,
            error,
            recording: ended.recording,
            started_at: Some(started_at),
            ended_at: (!again).then_some(ended.at.wall),
            ..report.map(AttemptRecord::of).unwrap_or_default()
        },
    };
    (attempt, wait)
}

/// What an attempt counts as when it is asked whether to try again: one that left
/// an answer which cannot be used, as one that left with another status than 0.
fn counts_as(report: &Report) -> Outcome {
    match (&report.outcome, &report.verdict_fault) {
        (Outcome::Exited { status: 0 }, Some(_)) => Outcome::Exited { status: 1 },
        (outcome, _) => outcome.clone(),
    }
}

impl Loaded {
    /// Records that an execution is finished.
    pub(super) fn end(&mut self, execution: &ClaimedExecution, attempt: &Attempt) {
        self.open -= 1;
        self.over.push(attempt.state);
        let Some(kept) = &mut self.kept else {
            return;
        };
        kept.bytes +=
            attempt.record.output.stdout.len() + attempt.record.output.stderr.len() + 1_024;
        if kept.bytes > KEPT_BYTES {
            self.kept = None;
            return;
        }
        let execution = kept.execution(execution, attempt, self.context.warnings());
        kept.executions.push(execution);
    }

    /// What follows for the task: nothing, its end, or a rest in the store.
    pub(super) fn change(&mut self, at: OffsetDateTime) -> TaskChange {
        if self.leaving != Leaving::No {
            return TaskChange::None;
        }
        if self.open == 0 {
            self.leaving = Leaving::Ended;
            let state = state_of(self.over.iter().copied());
            let started_at = self.started_at;
            if let Some(kept) = &mut self.kept {
                kept.task.state = state;
                kept.task.cancelled = self.cancelled;
                kept.task.started_at = started_at;
                kept.task.ended_at = Some(at);
                kept.task.progress.complete = kept.task.progress.total;
            }
            return TaskChange::Ended {
                state,
                started_at,
                at,
            };
        }
        match self.parked_until() {
            Some(until) => {
                let until = until.wall;
                self.leaving = Leaving::Parked(until);
                TaskChange::Parked {
                    until,
                    open: u32::try_from(self.open).unwrap_or(u32::MAX),
                }
            }
            None => TaskChange::None,
        }
    }
}

impl Kept {
    fn execution(
        &self,
        execution: &ClaimedExecution,
        attempt: &Attempt,
        warnings: &[String],
    ) -> Execution {
        let new = &execution.new;
        Execution {
            id: new.id,
            task: self.task.id,
            task_number: self.task.number,
            hook: new.hook,
            name: new.recipe.content.name.clone(),
            digest: new.recipe.digest,
            failure_policy: new.recipe.content.failure_policy,
            server: new.server.clone(),
            container: new.container.clone(),
            state: attempt.state,
            latest: attempt.record.clone(),
            so_far: None,
            warnings: warnings.to_vec(),
            dead: attempt.dead,
            created_at: self.task.created_at,
            due_at: attempt.due_at,
        }
    }

    fn detail(mut self) -> TaskDetail {
        let place = |id| self.order.iter().position(|other| *other == id);
        self.executions
            .sort_by_cached_key(|execution| place(execution.id));
        self.task.progress = Progress {
            total: self.task.progress.total,
            complete: self.task.progress.total,
        };
        TaskDetail {
            task: self.task,
            executions: self.executions,
        }
    }
}
