//! Tasks and the events that caused them, in the store. Their executions have calls of their own.

use async_trait::async_trait;
use bytes::Bytes;
use tenterhook_engine::Digest;

use crate::error::Error;
use crate::id::{AccountId, Key, TaskId};
use crate::page::{TaskFilter, TaskPage};
use crate::runs::task::{EventKey, Task};
use crate::runs::work::{Inserted, NewTask};

/// Tasks and the events that caused them.
#[async_trait]
pub trait TaskStore: Send + Sync {
    /// Stores new tasks, all or nothing. A task whose event was accepted before is left out,
    /// and the first one named, also within
    /// [`Retention::event_horizon`](crate::Retention::event_horizon) after that was
    /// removed. A task without executions is finished at once.
    ///
    /// # Errors
    ///
    /// [`Error::EventConflict`] if an event was accepted before with other content.
    async fn insert_tasks(&self, tasks: Vec<NewTask>) -> Result<Vec<Inserted>, Error>;

    /// Returns which events of an account were accepted before, each as
    /// [`insert_tasks`](Self::insert_tasks) would, and `None` for one that was not.
    /// Writes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::EventConflict`] as there.
    async fn known_events(
        &self,
        account: AccountId,
        events: Vec<(EventKey, Option<Digest>)>,
    ) -> Result<Vec<Option<Inserted>>, Error>;

    /// Reads a task.
    async fn task(&self, account: AccountId, key: Key<TaskId>) -> Result<Option<Task>, Error>;

    /// Lists tasks, newest first.
    async fn tasks(
        &self,
        account: AccountId,
        filter: &TaskFilter,
        page: TaskPage,
    ) -> Result<Vec<Task>, Error>;

    /// Reads the event of a task as JSON; `None` if it had none.
    async fn event(&self, account: AccountId, task: TaskId) -> Result<Option<Bytes>, Error>;
}
