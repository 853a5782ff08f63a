//! Storing what was prepared, and taking it into memory: from here on it is owed.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_ledger::{Guard, Resource};

use super::parts::parts;
use super::{Batch, First, Prepared, Stored};
use crate::dispatcher::Core;
use crate::error::{Error, Noun};
use crate::id::{AccountId, Key, Number};
use crate::runs::execution::State;
use crate::runs::scheduler::Load;
use crate::runs::task::{Progress, Task};
use crate::runs::work::{ClaimedExecution, Inserted, NewExecution, NewTask};

/// Bytes of an event that count as one row more: what takes as long to write.
const ROW_BYTES: usize = 4 << 10;

impl Core {
    /// Stores tasks, and loads those for which there is room. There is room on the
    /// disk for all of them, or none is stored.
    pub(crate) async fn store_tasks(
        self: &Arc<Self>,
        mut batch: Batch,
    ) -> Result<Vec<Stored>, Error> {
        let Some(account) = batch.prepared.first().map(|one| one.new.account) else {
            return Ok(Vec::new());
        };
        let bytes = batch.prepared.iter().map(|one| one.bytes).sum();
        let on_disk = match self.disk.reserve(account, bytes) {
            Ok(on_disk) => on_disk,
            Err(error) => match self.reserve_for_new(account, &batch.prepared).await? {
                Room::For(on_disk) => on_disk,
                Room::NotNeeded(first) => return self.answer(account, first).await,
                Room::None => return Err(error),
            },
        };
        self.hold_places(account, &mut batch.prepared);
        let stored = self.store_parts(batch).await;
        self.disk.written(account, on_disk);
        stored
    }

    /// Finds room on the disk for those events only that were not accepted before.
    async fn reserve_for_new(
        &self,
        account: AccountId,
        prepared: &[Prepared],
    ) -> Result<Room, Error> {
        let known = self.known(account, prepared).await?;
        if let Some(first) = all(&known) {
            return Ok(Room::NotNeeded(first));
        }
        let new = prepared.iter().zip(&known);
        let new = new.filter(|(_, known)| known.is_none());
        let bytes = new.map(|(one, _)| one.bytes).sum();
        Ok(match self.disk.reserve(account, bytes) {
            Ok(on_disk) => Room::For(on_disk),
            Err(_) => Room::None,
        })
    }

    /// What is known of those events that were accepted before.
    async fn known(
        &self,
        account: AccountId,
        prepared: &[Prepared],
    ) -> Result<Vec<Option<Inserted>>, Error> {
        let events = prepared.iter().map(|one| {
            let event = one.new.event.as_ref();
            event.map(|event| (event.key.clone(), event.content))
        });
        let Some(events) = events.collect::<Option<Vec<_>>>() else {
            // What no event has caused is never repeated.
            return Ok(vec![None; prepared.len()]);
        };
        let known = self.store.known_events(account, events).await;
        known.map_err(|error| conflict_of(error, prepared.len()))
    }

    /// Checks that none of the events was accepted before with other content.
    async fn check_conflicts(
        &self,
        prepared: impl Iterator<Item = &Prepared>,
    ) -> Result<(), Error> {
        let mut events = Vec::new();
        let mut account = None;
        for one in prepared {
            account = Some(one.new.account);
            match &one.new.event {
                Some(event) => events.push((event.key.clone(), event.content)),
                None => return Ok(()),
            }
        }
        if let Some(account) = account {
            self.store.known_events(account, events).await?;
        }
        Ok(())
    }

    /// Holds places in memory for tasks. From here on each must be used or given up.
    fn hold_places(&self, account: AccountId, prepared: &mut [Prepared]) {
        let mut scheduler = self.scheduler.lock();
        for one in prepared {
            if !one.new.executions.is_empty() {
                let bytes = one.context.size_with(one.new.executions.len());
                one.reserved = scheduler.reserve(account, bytes);
                one.new.owner = one.reserved.as_ref().map(|_| self.node);
            }
        }
    }

    async fn store_parts(self: &Arc<Self>, batch: Batch) -> Result<Vec<Stored>, Error> {
        let Batch {
            prepared,
            mut memory,
        } = batch;
        let mut stored = Vec::with_capacity(prepared.len());
        let parts = parts(prepared, |one| rows_of(&one.new));
        if parts.len() > 1 {
            // A conflict in a later part must not find the first ones stored.
            let all = parts.iter().flatten();
            if let Err(error) = self.check_conflicts(all).await {
                self.give_up(parts.into_iter().flatten());
                return Err(error);
            }
        }
        let mut parts = parts.into_iter();
        while let Some(part) = parts.next() {
            let bytes = part.iter().map(|one| one.bytes).sum();
            match self.store_part(part).await {
                Ok(part) => stored.extend(part),
                Err(error) => {
                    self.give_up(parts.flatten());
                    return Err(error);
                }
            }
            memory.shrink(Resource::Memory, bytes);
        }
        Ok(stored)
    }

    /// Stores tasks, all or none.
    async fn store_part(self: &Arc<Self>, part: Vec<Prepared>) -> Result<Vec<Stored>, Error> {
        let account = part[0].new.account;
        let new = part.iter().map(|one| one.new.clone()).collect();
        let events = part.len();
        let inserted = match self.store.insert_tasks(new).await {
            Ok(inserted) => inserted,
            Err(error) => {
                // Nothing can be written, and nothing needs to for those that are known.
                let known = match error {
                    Error::Unavailable { .. } => self.known(account, &part).await.map(Some),
                    _ => Ok(None),
                };
                self.give_up(part.into_iter());
                return match known {
                    Ok(known) => match known.as_deref().and_then(all) {
                        Some(first) => self.answer(account, first).await,
                        None => Err(conflict_of(error, events)),
                    },
                    Err(conflict @ Error::EventConflict { .. }) => Err(conflict),
                    Err(_) => Err(error),
                };
            }
        };
        // All that is new is scheduled before anything can fail: nothing else would do it.
        let mut answers = Vec::with_capacity(part.len());
        for (one, inserted) in part.into_iter().zip(inserted) {
            answers.push(match inserted {
                Inserted::New(number) => {
                    let task = task_of(&one.new, number);
                    self.take_in(one, &task);
                    Ok(Stored {
                        task,
                        first: First::This,
                    })
                }
                first => {
                    self.give_up(std::iter::once(one));
                    Err(first)
                }
            });
        }
        self.pump();
        let mut stored = Vec::with_capacity(answers.len());
        for answer in answers {
            stored.push(match answer {
                Ok(stored) => stored,
                Err(first) => self.first(account, first).await?,
            });
        }
        Ok(stored)
    }

    /// Returns the first tasks of events that were all accepted before.
    async fn answer(&self, account: AccountId, known: Vec<Inserted>) -> Result<Vec<Stored>, Error> {
        let mut stored = Vec::with_capacity(known.len());
        for first in known {
            stored.push(self.first(account, first).await?);
        }
        Ok(stored)
    }

    /// The task that an event has caused when it was first accepted.
    async fn first(&self, account: AccountId, first: Inserted) -> Result<Stored, Error> {
        let key = match first {
            Inserted::Remembered(task) => {
                return Ok(Stored {
                    task: *task,
                    first: First::Removed,
                });
            }
            Inserted::Repeated(first) => Key::Id(first),
            Inserted::New(number) => Key::Number(number),
        };
        let task = self.store.task(account, key).await?;
        Ok(Stored {
            task: task.ok_or_else(|| Error::not_found(Noun::Task, key))?,
            first: First::Kept,
        })
    }

    /// Gives up the places of tasks that are not stored.
    fn give_up(&self, prepared: impl Iterator<Item = Prepared>) {
        let mut scheduler = self.scheduler.lock();
        for reserved in prepared.filter_map(|one| one.reserved) {
            scheduler.give_up(reserved);
        }
    }

    fn take_in(self: &Arc<Self>, one: Prepared, task: &Task) {
        self.counters.accepted();
        let account = one.new.account;
        if one.new.executions.is_empty() {
            return;
        }
        let Some(reserved) = one.reserved else {
            self.scheduler.lock().note_due(account, Duration::ZERO);
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
            deleted_hooks: Vec::new(),
            task: Some(task.clone()),
        };
        self.load(load);
    }
}

/// Room on the disk for those of some events that were not accepted before.
enum Room {
    For(Guard),
    /// All of them were: this is what is known of them.
    NotNeeded(Vec<Inserted>),
    None,
}

/// What is known of all events, if something is of each.
fn all(known: &[Option<Inserted>]) -> Option<Vec<Inserted>> {
    known.iter().cloned().collect()
}

/// Leaves out which of the events a conflict is about if there is only one.
fn conflict_of(error: Error, events: usize) -> Error {
    match error {
        Error::EventConflict { .. } if events == 1 => Error::EventConflict { index: None },
        error => error,
    }
}

/// How many rows a task writes, roughly; a long event counts as several.
fn rows_of(task: &NewTask) -> usize {
    let event = task.event.as_ref().map_or(0, |event| event.json.len());
    1 + task.executions.len() + event / ROW_BYTES
}

fn first_attempt(new: NewExecution) -> ClaimedExecution {
    ClaimedExecution {
        new,
        attempt: 0,
        failures: 0,
        crashes: 0,
        due_at: None,
        wait: None,
    }
}

/// The task right after it was stored.
fn task_of(new: &NewTask, number: Number) -> Task {
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
