//! Accepting events: from the request to the stored tasks.

mod due;
mod parts;
mod planning;
mod room;
mod storing;

use std::sync::Arc;
use std::time::Duration;

use tenterhook_ledger::Guard;

use crate::dispatcher::Core;
use crate::error::Error;
use crate::id::{AccountId, Key, SourceId};
use crate::runs::environment::Context;
use crate::runs::event::ReceivedEvent;
use crate::runs::scheduler::{Reserved, WaitOutcome};
use crate::runs::task::{EventKey, Task, TaskDetail};
use crate::runs::tasks::Tasks;
use crate::runs::work::NewTask;

/// An event that is stored and will not be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What makes the event unique.
    pub event: EventKey,
    /// The task that it caused.
    pub task: Task,
    /// Whether the event had been accepted before; nothing runs again then.
    pub repeated: bool,
    /// Whether its first task is not kept any more: what is left of it is `task`, and
    /// there are no executions to be read.
    pub removed: bool,
}

/// What one request is about to store, and the memory that it is charged with until then.
pub(crate) struct Batch {
    pub(crate) prepared: Vec<Prepared>,
    pub(crate) memory: Guard,
}

/// A task that is about to be stored, and the place that is held for it.
pub(crate) struct Prepared {
    pub(crate) new: NewTask,
    /// What it takes at most, in memory until it is stored and on the disk.
    pub(crate) bytes: u64,
    pub(crate) context: Arc<Context>,
    pub(crate) reserved: Option<Reserved>,
}

/// A task that was stored.
pub(crate) struct Stored {
    pub(crate) task: Task,
    pub(crate) first: First,
}

/// Which task an event has caused when it was first accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// This one, just now.
    This,
    /// An earlier one.
    Kept,
    /// An earlier one, of which little is left.
    Removed,
}

/// Events: see [`Dispatcher::events`](crate::Dispatcher::events).
#[derive(Clone, Copy)]
pub struct Events<'a> {
    pub(crate) core: &'a Arc<Core>,
    /// Whether a repeated event must have the same content.
    pub(crate) compares: bool,
}

impl Events<'_> {
    /// Takes an event that was accepted before for the same, whatever its content: for a
    /// sender that recreates its events each time and whose ids identify them completely.
    #[must_use]
    pub fn without_comparison(self) -> Self {
        Self {
            compares: false,
            ..self
        }
    }

    /// Accepts events. They are stored when this returns.
    ///
    /// All of them are checked before any is stored. They are stored all or none as
    /// long as they cause few executions; those that cause more than one transaction
    /// writes are stored in several, so a failure of the store can leave the first of
    /// them accepted. Each event is accepted whole or not at all, and sending all
    /// again is harmless:
    ///
    /// An event that was accepted before, by its source and id, returns
    /// its first task and runs nothing again, within
    /// [`Retention::event_horizon`](crate::Retention::event_horizon). It has to be the same
    /// event: its content is compared, but for its time and its trace.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], with `events[i].` before the field if there are
    /// several, and `events` if they cause too many executions together;
    /// [`Error::EventConflict`], and nothing is stored;
    /// [`Error::DiskFull`]; [`Error::Shortage`] of memory, after 30 s of waiting for it;
    /// [`Error::Unavailable`], [`Error::Store`]; [`Error::Stopping`].
    pub async fn accept<E>(
        self,
        account: AccountId,
        started_by: &str,
        events: Vec<E>,
    ) -> Result<Vec<Accepted>, Error>
    where
        E: TryInto<ReceivedEvent, Error: Into<Error>>,
    {
        let events = received(events)?;
        let batch = self
            .core
            .plan_all(account, started_by, events, self.compares, None)
            .await?;
        self.core
            .carry_out(async move |core: Arc<Core>| core.store_all(batch).await)
            .await
    }

    /// Accepts one event for which a source runs that its sender has chosen, besides
    /// the hooks that wait for it. If the source fails, the event is denied.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the source; those of [`accept`](Self::accept).
    pub async fn accept_for(
        self,
        account: AccountId,
        started_by: &str,
        event: impl TryInto<ReceivedEvent, Error: Into<Error>>,
        source: SourceId,
    ) -> Result<Accepted, Error> {
        let event = event.try_into().map_err(Into::into)?;
        let batch = self
            .core
            .plan_all(
                account,
                started_by,
                vec![event],
                self.compares,
                Some(source),
            )
            .await?;
        let accepted = self
            .core
            .carry_out(async move |core: Arc<Core>| core.store_all(batch).await)
            .await;
        Ok(accepted?.swap_remove(0))
    }

    /// Accepts one event and waits so long for its task to end. The task's
    /// state shows whether it has.
    ///
    /// # Errors
    ///
    /// See [`accept`](Self::accept).
    pub async fn accept_and_wait(
        self,
        account: AccountId,
        started_by: &str,
        event: impl TryInto<ReceivedEvent, Error: Into<Error>>,
        timeout: Duration,
    ) -> Result<(Accepted, TaskDetail), Error> {
        let event = event.try_into().map_err(Into::into)?;
        let batch = self
            .core
            .plan_all(account, started_by, vec![event], self.compares, None)
            .await?;
        let (accepted, outcome) = self
            .core
            .carry_out(async move |core: Arc<Core>| {
                let id = batch.prepared[0].new.id;
                // Before it is stored: it may end before the acknowledgement arrives.
                let outcome = core.scheduler.lock().wait_for(id);
                let accepted = core.store_all(batch).await;
                if !matches!(accepted.as_deref(), Ok([accepted]) if !accepted.repeated) {
                    drop(outcome);
                    core.scheduler.lock().forget_waiters(id);
                    return Ok((accepted?.swap_remove(0), None));
                }
                Ok((accepted?.swap_remove(0), Some(outcome)))
            })
            .await?;
        let id = accepted.task.id;
        if accepted.removed {
            let detail = TaskDetail {
                task: accepted.task.clone(),
                executions: Vec::new(),
            };
            return Ok((accepted, detail));
        }
        let Some(outcome) = outcome else {
            let detail = Tasks { core: self.core }
                .wait(account, Key::Id(id), timeout)
                .await?;
            return Ok((accepted, detail));
        };
        if accepted.task.state.is_over() {
            // No hook waits for it, so no notification will come.
            self.core.scheduler.lock().notify(id, &None);
            let detail = TaskDetail {
                task: accepted.task.clone(),
                executions: Vec::new(),
            };
            return Ok((accepted, detail));
        }
        let outcome: WaitOutcome = tokio::time::timeout(timeout, outcome)
            .await
            .ok()
            .and_then(Result::ok)
            .flatten();
        self.core.scheduler.lock().forget_waiters(id);
        let detail = match outcome {
            Some(detail) => Arc::unwrap_or_clone(detail),
            None => Tasks { core: self.core }.get(account, Key::Id(id)).await?,
        };
        Ok((accepted, detail))
    }
}

/// Checks events that were not parsed but built.
fn received<E>(events: Vec<E>) -> Result<Vec<ReceivedEvent>, Error>
where
    E: TryInto<ReceivedEvent, Error: Into<Error>>,
{
    let several = events.len() > 1;
    let events = events.into_iter().enumerate();
    events
        .map(|(i, event)| {
            let event = event.try_into().map_err(Into::into);
            event.map_err(|error| planning::in_batch(error, several.then_some(i)))
        })
        .collect()
}

impl Core {
    async fn store_all(self: &Arc<Self>, batch: Batch) -> Result<Vec<Accepted>, Error> {
        let keys: Vec<_> = batch
            .prepared
            .iter()
            .map(|one| one.new.event.as_ref().map(|event| event.key.clone()))
            .collect();
        let stored = self.store_tasks(batch).await?;
        Ok(stored
            .into_iter()
            .zip(keys)
            .map(|(stored, key)| Accepted {
                event: key.expect("every task prepared here has an event"),
                task: stored.task,
                repeated: stored.first != First::This,
                removed: stored.first == First::Removed,
            })
            .collect())
    }
}
