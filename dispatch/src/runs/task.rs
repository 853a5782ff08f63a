//! What one event or one ad hoc call caused: executions, and their common state.

use serde::Serialize;
use time::OffsetDateTime;

use crate::id::{Number, TaskId};
use crate::runs::execution::{Execution, State};
use crate::runs::ruling::{Ruling, result_of};
use crate::runs::summary::RunSummary;

/// The executions that one event or one ad hoc call caused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its identifier.
    pub id: TaskId,
    /// By which croit refers to it.
    pub number: Number,
    /// For a person to read: the event's type, or what was run.
    pub name: String,
    /// The principal that caused it.
    pub started_by: String,
    /// What it is about: the event's subject.
    pub object: Option<String>,
    /// The event; `None` if it was ad hoc.
    pub event: Option<EventKey>,
    /// Where it stands, derived from its executions.
    pub state: State,
    /// How far it is.
    pub progress: Progress,
    /// Whether it was asked to be cancelled.
    pub cancelled: bool,
    /// When it came into being.
    pub created_at: OffsetDateTime,
    /// When its first execution began.
    pub started_at: Option<OffsetDateTime>,
    /// When its last execution ended.
    pub ended_at: Option<OffsetDateTime>,
}

/// What makes an event unique within an account, and its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct EventKey {
    /// Where it happened.
    pub source: String,
    /// Unique within `source`.
    pub id: String,
    /// The name of its hook point.
    #[serde(rename = "type")]
    pub kind: String,
}

/// Finished executions, of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// All executions.
    pub total: u32,
    /// The finished ones.
    pub complete: u32,
}

/// A task with its executions, in execution order.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskDetail {
    /// The task.
    pub task: Task,
    /// Its executions: by target, then in hook order.
    pub executions: Vec<Execution>,
}

impl TaskDetail {
    /// Whether the event may go on; `None` until the task is finished.
    #[must_use]
    pub fn ruling(&self) -> Option<Ruling> {
        self.task
            .state
            .is_over()
            .then(|| Ruling::of(&self.executions))
    }

    /// How its executions went; `None` until the task is finished.
    #[must_use]
    pub fn summary(&self) -> Option<RunSummary> {
        let is_over = self.task.state.is_over();
        is_over.then(|| RunSummary::of(&self.executions))
    }

    /// What the hooks answered; see [`result_of`].
    #[must_use]
    pub fn result(&self) -> Option<Box<serde_json::value::RawValue>> {
        result_of(&self.executions)
    }
}

/// Derives the state of a task from those of its executions.
#[must_use]
pub fn state_of(executions: impl IntoIterator<Item = State>) -> State {
    let (mut waiting, mut running, mut over) = (false, false, None::<State>);
    for state in executions {
        match state {
            State::Waiting => waiting = true,
            State::Running => running = true,
            State::Finished | State::Failed | State::Canceled => over = over.max(Some(state)),
        }
    }
    match over {
        _ if running => State::Running,
        Some(_) if waiting => State::Running,
        None if waiting => State::Waiting,
        Some(worst) => worst,
        None => State::Finished,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_task_follows_its_executions() {
        use State::{Canceled, Failed, Finished, Running, Waiting};
        for (executions, state) in [
            (vec![], Finished),
            (vec![Waiting, Waiting], Waiting),
            (vec![Waiting, Running], Running),
            (vec![Waiting, Finished], Running),
            (vec![Finished, Finished], Finished),
            (vec![Finished, Failed], Failed),
            (vec![Failed, Canceled, Finished], Canceled),
        ] {
            assert_eq!(
                state_of(executions.iter().copied()),
                state,
                "{executions:?}"
            );
        }
    }
}
