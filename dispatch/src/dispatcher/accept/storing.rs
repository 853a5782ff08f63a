//! Storing what was prepared, and taking it into memory: from here on it is owed.

use std::sync::Arc;

use super::super::Inner;
use super::parts::parts;
use super::{First, Prepared, Stored};
use crate::disk::size_of_task;
use crate::error::{Error, Noun};
use crate::execution::State;
use crate::floor::Load;
use crate::id::{Key, Number};
use crate::task::{Progress, Task};
use crate::work::{ClaimedExecution, Inserted, NewExecution, NewTask};

impl Inner {
    /// Stores tasks, and takes in those for which a place is held. There is room on the
    /// disk for all of them, or none is stored.
    pub(in super::super) async fn store_tasks(
        self: &Arc<Self>,
        prepared: Vec<Prepared>,
    ) -> Result<Vec<Stored>, Error> {
        let Some(account) = prepared.first().map(|one| one.new.account) else {
            return Ok(Vec::new());
        };
        let bytes = prepared.iter().map(|one| size_of_task(&one.new)).sum();
        let reserved = match self.disk.reserve(account, bytes) {
            Ok(reserved) => reserved,
            Err(error) => {
                self.give_up(prepared.into_iter());
                return Err(error);
            }
        };
        let stored = self.store_parts(prepared).await;
        self.disk.written(account, reserved);
        stored
    }

    async fn store_parts(self: &Arc<Self>, prepared: Vec<Prepared>) -> Result<Vec<Stored>, Error> {
        let mut stored = Vec::with_capacity(prepared.len());
        let mut parts = parts(prepared, |one| 1 + one.new.executions.len()).into_iter();
        while let Some(part) = parts.next() {
            match self.store_part(part).await {
                Ok(part) => stored.extend(part),
                Err(error) => {
                    self.give_up(parts.flatten());
                    return Err(error);
                }
            }
        }
        Ok(stored)
    }

    /// Stores tasks, all or none.
    async fn store_part(self: &Arc<Self>, part: Vec<Prepared>) -> Result<Vec<Stored>, Error> {
        let new = part.iter().map(|one| one.new.clone()).collect();
        let inserted = match self.store.insert_tasks(new).await {
            Ok(inserted) => inserted,
            Err(error) => {
                self.give_up(part.into_iter());
                return Err(error);
            }
        };
        // All that is new is taken in before anything can fail: nobody else would.
        let mut stored = Vec::with_capacity(part.len());
        for (one, inserted) in part.into_iter().zip(inserted) {
            stored.push(match inserted {
                Inserted::New(number) => {
                    let task = task_of(&one.new, number);
                    self.take_in(one, &task);
                    Ok(Stored {
                        task,
                        first: First::This,
                    })
                }
                Inserted::Repeated(first) => {
                    let account = one.new.account;
                    self.give_up(std::iter::once(one));
                    Err((account, first))
                }
                Inserted::Remembered(task) => {
                    self.give_up(std::iter::once(one));
                    Ok(Stored {
                        task: *task,
                        first: First::Removed,
                    })
                }
            });
        }
        self.pump();
        let mut answers = Vec::with_capacity(stored.len());
        for stored in stored {
            answers.push(match stored {
                Ok(stored) => stored,
                Err((account, first)) => Stored {
                    task: self
                        .store
                        .task(account, Key::Id(first))
                        .await?
                        .ok_or_else(|| Error::not_found(Noun::Task, first))?,
                    first: First::Kept,
                },
            });
        }
        Ok(answers)
    }

    /// Gives up the places of tasks that are not stored.
    fn give_up(&self, prepared: impl Iterator<Item = Prepared>) {
        let mut floor = self.floor.lock();
        for reserved in prepared.filter_map(|one| one.reserved) {
            floor.give_up(reserved);
        }
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
        crashes: 0,
        due_at: None,
    }
}

/// The task as it is right after it was stored.
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
