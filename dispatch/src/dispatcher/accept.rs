//! Accepting events: from what was sent to what is stored and owed.

mod owed;
mod parts;
mod room;
mod storing;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tenterhook_sdk::Event;
use time::OffsetDateTime;

use self::owed::{match_containers, owed};
use self::room::Room;
use super::{Dispatcher, Inner};
use crate::directory::Directory;
use crate::environment::Context;
use crate::error::Error;
use crate::floor::{Reserved, Told};
use crate::hook_point::HookPointName;
use crate::id::{AccountId, Key, SourceId, TaskId};
use crate::plan::{self, TooMany};
use crate::settings::EVENT_MAX_BYTES;
use crate::task::{EventKey, Task, TaskDetail};
use crate::work::{NewEvent, NewTask};

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

/// What all events of one request have in common.
struct Request<'a> {
    account: AccountId,
    started_by: &'a str,
    chosen: Option<SourceId>,
    created_at: OffsetDateTime,
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
    pub(super) first: First,
}

/// Which task an event has caused when it was first accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// This one, just now.
    This,
    /// One of before.
    Kept,
    /// One of before, of which little is left.
    Removed,
}

impl Dispatcher {
    /// Accepts events. They are stored when this returns.
    ///
    /// All of them are checked before any is stored. They are stored all or none as
    /// long as they cause few executions; those that cause more than one transaction
    /// writes are stored in several, so a failure of the store can leave the first of
    /// them accepted. Each event is accepted whole or not at all, and sending all
    /// again is harmless:
    ///
    /// An event that was accepted before, by its source and id, is answered with
    /// its first task and runs nothing again, within
    /// [`Retention::event_horizon`](crate::Retention::event_horizon).
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], with `events[i].` before the field if there are
    /// several, and `events` if they cause too many executions together;
    /// [`Error::DiskFull`]; [`Error::Store`]; [`Error::Stopping`].
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
        if accepted.removed {
            let detail = TaskDetail {
                task: accepted.task.clone(),
                executions: Vec::new(),
            };
            return Ok((accepted, detail));
        }
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
        let request = Request {
            account,
            started_by,
            chosen,
            created_at: self.clock.now().wall,
        };
        let mut room = Room::of(&self.settings);
        let mut prepared = Vec::with_capacity(events.len());
        for (i, event) in events.into_iter().enumerate() {
            match_containers(&entry, &event).await?;
            let directory = entry.directory.read();
            let one =
                self.prepare(&request, event, &directory, &room)
                    .map_err(|error| match error {
                        Error::Invalid { field, reason } if several && field != "events" => {
                            Error::Invalid {
                                field: format!("events[{i}].{field}"),
                                reason,
                            }
                        }
                        error => error,
                    })?;
            room.take(one.new.executions.len());
            prepared.push(one);
        }
        // Only now: a place that is held must be used or given up.
        let mut floor = self.floor.lock();
        for one in &mut prepared {
            if !one.new.executions.is_empty() {
                let bytes = one.context.size_with(one.new.executions.len());
                one.reserved = floor.reserve(account, bytes);
                one.new.owner = one.reserved.as_ref().map(|_| self.node);
            }
        }
        drop(floor);
        Ok(prepared)
    }

    fn prepare(
        &self,
        request: &Request<'_>,
        mut event: Event,
        directory: &Directory,
        room: &Room,
    ) -> Result<Prepared, Error> {
        event.check()?;
        let name = HookPointName::parse(&event.kind).map_err(|_| {
            Error::invalid(
                "type",
                "is not the name of a hook point; see the list of hook points, or use a name such as `custom.mine`",
            )
        })?;
        let mut executions = owed(directory, &name, &mut event, room)?;
        if let Some(source) = request.chosen {
            if executions.len() >= room.most() {
                return Err(room.refuse(TooMany));
            }
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
                account: request.account,
                name: event.kind.clone(),
                started_by: request.started_by.to_owned(),
                object: event.subject.clone(),
                event: Some(NewEvent { key, json }),
                created_at: request.created_at,
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
                repeated: stored.first != First::This,
                removed: stored.first == First::Removed,
            })
            .collect())
    }
}
