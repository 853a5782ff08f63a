//! Accepting events: from what was sent to what is stored and owed.

mod owed;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tenterhook_sdk::Event;
use time::OffsetDateTime;

use self::owed::{match_containers, owed};
use super::{Dispatcher, Inner};
use crate::clock::now;
use crate::directory::Directory;
use crate::environment::Context;
use crate::error::{Error, Noun};
use crate::execution::State;
use crate::floor::{Load, Reserved, Told};
use crate::hook_point::HookPointName;
use crate::id::{AccountId, Key, SourceId, TaskId};
use crate::plan;
use crate::settings::EVENT_MAX_BYTES;
use crate::task::{EventKey, Progress, Task, TaskDetail};
use crate::work::{ClaimedExecution, Inserted, NewEvent, NewExecution, NewTask};

/// An event that is stored and will not be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What makes the event unique.
    pub event: EventKey,
    /// The task that it caused.
    pub task: Task,
    /// Whether the event had been accepted before; nothing runs again then.
    pub repeated: bool,
}

/// A task that is about to be stored, and the place that is held for it.
pub(super) struct Prepared {
    pub(super) new: NewTask,
    pub(super) context: Arc<Context>,
    pub(super) reserved: Option<Reserved>,
}

/// A task that was stored.
pub(super) struct Stored {
    pub(super) task: Task,
    pub(super) repeated: bool,
}

impl Dispatcher {
    /// Accepts events, all or none of them. They are stored when this returns.
    ///
    /// An event that was accepted before, by its source and id, is answered with
    /// its first task and runs nothing again.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], with `events[i].` before the field if there are
    /// several; [`Error::Store`]; [`Error::Stopping`].
    pub async fn accept(
        &self,
        account: AccountId,
        started_by: &str,
        events: Vec<Event>,
    ) -> Result<Vec<Accepted>, Error> {
        let started_by = started_by.to_owned();
        self.carry_out(async move |inner: Arc<Inner>| {
            let prepared = inner
                .prepare_all(account, &started_by, events, None)
                .await?;
            inner.store_all(prepared).await
        })
        .await
    }

    /// Accepts one event for which a source runs that its sender has chosen, besides
    /// the hooks that wait for it. If the source fails, the event is denied.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the source; those of [`accept`](Self::accept).
    pub async fn accept_for(
        &self,
        account: AccountId,
        started_by: &str,
        event: Event,
        source: SourceId,
    ) -> Result<Accepted, Error> {
        let started_by = started_by.to_owned();
        self.carry_out(async move |inner: Arc<Inner>| {
            let prepared = inner
                .prepare_all(account, &started_by, vec![event], Some(source))
                .await?;
            Ok(inner.store_all(prepared).await?.swap_remove(0))
        })
        .await
    }

    /// Accepts one event and waits so long for its task to end. The task's
    /// state tells whether it has.
    ///
    /// # Errors
    ///
    /// See [`accept`](Self::accept).
    pub async fn accept_and_wait(
        &self,
        account: AccountId,
        started_by: &str,
        event: Event,
        lasting: Duration,
    ) -> Result<(Accepted, TaskDetail), Error> {
        let started_by = started_by.to_owned();
        let (accepted, told) = self
            .carry_out(async move |inner: Arc<Inner>| {
                let prepared = inner
                    .prepare_all(account, &started_by, vec![event], None)
                    .await?;
                let id = prepared[0].new.id;
                // Before it is stored: it may end before we hear that it was.
                let told = inner.floor.lock().wait_for(id);
                let accepted = inner.store_all(prepared).await;
                if !matches!(accepted.as_deref(), Ok([accepted]) if !accepted.repeated) {
                    drop(told);
                    inner.floor.lock().forget_waiters(id);
                    return Ok((accepted?.swap_remove(0), None));
                }
                Ok((accepted?.swap_remove(0), Some(told)))
            })
            .await?;
        let id = accepted.task.id;
        let Some(told) = told else {
            let detail = self.wait(account, Key::Id(id), lasting).await?;
            return Ok((accepted, detail));
        };
        if accepted.task.state.is_over() {
            // No hook waits for it; nobody will tell.
            self.inner.floor.lock().tell(id, &None);
            let detail = TaskDetail {
                task: accepted.task.clone(),
                executions: Vec::new(),
            };
            return Ok((accepted, detail));
        }
        let told: Told = tokio::time::timeout(lasting, told)
            .await
            .ok()
            .and_then(Result::ok)
            .flatten();
        self.inner.floor.lock().forget_waiters(id);
        let detail = match told {
            Some(detail) => Arc::unwrap_or_clone(detail),
            None => self.task(account, Key::Id(id)).await?,
        };
        Ok((accepted, detail))
    }
}

impl Inner {
    async fn prepare_all(
        self: &Arc<Self>,
        account: AccountId,
        started_by: &str,
        events: Vec<Event>,
        chosen: Option<SourceId>,
    ) -> Result<Vec<Prepared>, Error> {
        let several = events.len() > 1;
        let entry = self.entry(account).await?;
        let created_at = now();
        let mut prepared = Vec::with_capacity(events.len());
        for (i, event) in events.into_iter().enumerate() {
            match_containers(&entry, &event).await?;
            let directory = entry.directory.read();
            let one = self.prepare(account, started_by, event, chosen, created_at, &directory);
            prepared.push(one.map_err(|error| match error {
                Error::Invalid { field, reason } if several => Error::Invalid {
                    field: format!("events[{i}].{field}"),
                    reason,
                },
                error => error,
            })?);
        }
        // Only now: a place that is held must be used or given up.
        let mut floor = self.floor.lock();
        for one in &mut prepared {
            if !one.new.executions.is_empty() {
                one.reserved = floor.reserve(account, one.context.size());
                one.new.owner = one.reserved.as_ref().map(|_| self.node);
            }
        }
        drop(floor);
        Ok(prepared)
    }

    fn prepare(
        &self,
        account: AccountId,
        started_by: &str,
        mut event: Event,
        chosen: Option<SourceId>,
        created_at: OffsetDateTime,
        directory: &Directory,
    ) -> Result<Prepared, Error> {
        event.check()?;
        let name = HookPointName::parse(&event.kind).map_err(|_| {
            Error::invalid(
                "type",
                "is not the name of a hook point; see the list of hook points, or use a name such as `custom.mine`",
            )
        })?;
        let mut executions = owed(directory, &name, &mut event)?;
        if let Some(source) = chosen {
            let lane = executions.last().map_or(0, |last| last.lane + 1);
            executions.push(plan::chosen(directory.source(Key::Id(source))?, lane));
        }
        let json: Bytes = serde_json::to_vec(&event)
            .expect("an event holds nothing that JSON cannot say")
            .into();
        if json.len() > EVENT_MAX_BYTES {
            return Err(Error::invalid(
                "data",
                "makes the event longer than 262144 bytes",
            ));
        }
        let most = self.settings.executions_per_event;
        if executions.len() > most {
            let reason = format!(
                "would cause {} executions; at most {most} are allowed",
                executions.len()
            );
            return Err(Error::invalid("type", reason));
        }
        let key = EventKey {
            source: event.source.clone(),
            id: event.id.clone(),
            kind: event.kind.clone(),
        };
        let context = if executions.is_empty() {
            Context::default()
        } else {
            Context::of(&event, &name, json.clone())
        };
        Ok(Prepared {
            new: NewTask {
                id: TaskId::generate(),
                account,
                name: event.kind.clone(),
                started_by: started_by.to_owned(),
                object: event.subject.clone(),
                event: Some(NewEvent { key, json }),
                created_at,
                owner: None,
                executions,
                program: None,
            },
            context: Arc::new(context),
            reserved: None,
        })
    }

    async fn store_all(self: &Arc<Self>, prepared: Vec<Prepared>) -> Result<Vec<Accepted>, Error> {
        let keys: Vec<_> = prepared
            .iter()
            .map(|one| one.new.event.as_ref().map(|event| event.key.clone()))
            .collect();
        let stored = self.store_tasks(prepared).await?;
        Ok(stored
            .into_iter()
            .zip(keys)
            .map(|(stored, key)| Accepted {
                event: key.expect("every task prepared here has an event"),
                task: stored.task,
                repeated: stored.repeated,
            })
            .collect())
    }

    /// Stores tasks, and takes in those for which a place is held.
    pub(super) async fn store_tasks(
        self: &Arc<Self>,
        prepared: Vec<Prepared>,
    ) -> Result<Vec<Stored>, Error> {
        let new = prepared.iter().map(|one| one.new.clone()).collect();
        let inserted = match self.store.insert_tasks(new).await {
            Ok(inserted) => inserted,
            Err(error) => {
                let mut floor = self.floor.lock();
                for reserved in prepared.into_iter().filter_map(|one| one.reserved) {
                    floor.give_up(reserved);
                }
                return Err(error);
            }
        };
        let mut stored = Vec::with_capacity(prepared.len());
        for (one, inserted) in prepared.into_iter().zip(inserted) {
            stored.push(match inserted {
                Inserted::New(number) => {
                    let task = task_of(&one.new, number);
                    self.take_in(one, &task);
                    Stored {
                        task,
                        repeated: false,
                    }
                }
                Inserted::Repeated(first) => {
                    if let Some(reserved) = one.reserved {
                        self.floor.lock().give_up(reserved);
                    }
                    let task = self
                        .store
                        .task(one.new.account, Key::Id(first))
                        .await?
                        .ok_or_else(|| Error::not_found(Noun::Task, first))?;
                    Stored {
                        task,
                        repeated: true,
                    }
                }
            });
        }
        self.pump();
        Ok(stored)
    }

    fn take_in(self: &Arc<Self>, one: Prepared, task: &Task) {
        self.counters.accepted();
        let account = one.new.account;
        if one.new.executions.is_empty() {
            return;
        }
        let Some(reserved) = one.reserved else {
            self.floor.lock().note_backlog(account, one.new.created_at);
            self.wake.notify_one();
            return;
        };
        let load = Load {
            id: one.new.id,
            reserved,
            context: one.context,
            executions: one.new.executions.into_iter().map(first_attempt).collect(),
            over: Vec::new(),
            started_at: None,
            cancelled: false,
            task: Some(task.clone()),
        };
        self.load(load);
    }
}

fn first_attempt(new: NewExecution) -> ClaimedExecution {
    ClaimedExecution {
        new,
        attempt: 0,
        failures: 0,
        due_at: None,
    }
}

/// The task as it is right after it was stored.
fn task_of(new: &NewTask, number: crate::id::Number) -> Task {
    let total = u32::try_from(new.executions.len()).unwrap_or(u32::MAX);
    let over = new.executions.is_empty();
    Task {
        id: new.id,
        number,
        name: new.name.clone(),
        started_by: new.started_by.clone(),
        object: new.object.clone(),
        event: new.event.as_ref().map(|event| event.key.clone()),
        state: if over {
            State::Finished
        } else {
            State::Waiting
        },
        progress: Progress { total, complete: 0 },
        cancelled: false,
        created_at: new.created_at,
        started_at: None,
        ended_at: over.then_some(new.created_at),
    }
}
