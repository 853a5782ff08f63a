//! A task in croit's form: `ManagedTask`, and `TaskResponse` which adds to it.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tenterhook_dispatch::{Execution, Progress, State, Task, TaskDetail};
use tenterhook_engine::Outcome;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::app::CroitTimes;
use crate::croit::tasks::log;
use crate::time_text::time_text;

/// What croit calls a task that a user cancelled.
const CANCELLED_BY_USER: i32 = -256;

/// A task.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ManagedTask {
    id: i32,
    /// Whether it has finished.
    done: bool,
    /// 0 on success or while it goes on, -256 if cancelled, else the first exit
    /// status that is not 0, or 1 if there is none.
    status_code: i32,
    /// Milliseconds since 1970, or ISO 8601 text if the server is set so.
    #[schema(value_type = Value)]
    started_at: Value,
    started_by: String,
    name: String,
    /// `WAITING`, `RUNNING`, `FINISHED`, `FAILED` or `CANCELED`.
    state: &'static str,
    /// Executions over, of all.
    progress: TaskProgress,
    /// What the hooks answered.
    #[schema(value_type = Option<Object>)]
    result: Option<Box<RawValue>>,
    object: Option<String>,
    /// What was printed, each line after its server's name.
    output: String,
}

/// A task with what `/tasks` adds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskResponse {
    #[serde(flatten)]
    task: ManagedTask,
    /// Whether cancellation was requested.
    cancelled: bool,
    /// Always null: no task here asks questions.
    #[schema(value_type = Option<Object>)]
    question: Option<()>,
}

#[derive(Debug, Serialize, ToSchema)]
struct TaskProgress {
    total: u32,
    complete: u32,
}

impl From<Progress> for TaskProgress {
    fn from(own: Progress) -> Self {
        Self {
            total: own.total,
            complete: own.complete,
        }
    }
}

impl ManagedTask {
    /// Shows a task with all that was printed.
    pub(crate) fn new(detail: &TaskDetail, times: CroitTimes) -> Self {
        Self {
            output: log::of(&detail.executions),
            ..Self::without_output(
                &detail.task,
                first_failed(&detail.executions),
                detail.result(),
                times,
            )
        }
    }

    fn without_output(
        task: &Task,
        failed_status: Option<u8>,
        result: Option<Box<RawValue>>,
        times: CroitTimes,
    ) -> Self {
        Self {
            id: task.number.get(),
            done: task.state.is_over(),
            status_code: status_code(task.state, failed_status),
            started_at: print_time(task.started_at.unwrap_or(task.created_at), times),
            started_by: task.started_by.clone(),
            name: task.name.clone(),
            state: task.state.as_str(),
            progress: task.progress.into(),
            result,
            object: task.object.clone(),
            output: String::new(),
        }
    }
}

impl TaskResponse {
    /// Shows a task with all that was printed.
    pub(crate) fn new(detail: &TaskDetail, times: CroitTimes) -> Self {
        Self::adding(ManagedTask::new(detail, times), &detail.task)
    }

    /// Shows a task as a row of a list, with the first exit status of its executions that
    /// failed and what they answered.
    pub(crate) fn row(
        task: &Task,
        failed_status: Option<u8>,
        result: Option<Box<RawValue>>,
        times: CroitTimes,
    ) -> Self {
        let own = ManagedTask::without_output(task, failed_status, result, times);
        Self::adding(own, task)
    }

    /// Splits off what its executions answered.
    pub(super) fn take_result(mut self) -> (Self, Option<Box<RawValue>>) {
        let result = self.task.result.take();
        (self, result)
    }

    fn adding(own: ManagedTask, task: &Task) -> Self {
        Self {
            task: own,
            cancelled: task.cancelled,
            question: None,
        }
    }
}

fn print_time(time: OffsetDateTime, times: CroitTimes) -> Value {
    match times {
        CroitTimes::EpochMillis => {
            let millis = time.unix_timestamp_nanos() / 1_000_000;
            i64::try_from(millis).unwrap_or(i64::MAX).into()
        }
        CroitTimes::Iso8601 => time_text(time).into(),
    }
}

fn status_code(state: State, failed_status: Option<u8>) -> i32 {
    match state {
        State::Waiting | State::Running | State::Finished => 0,
        State::Canceled => CANCELLED_BY_USER,
        State::Failed => failed_status.map_or(1, i32::from),
    }
}

/// The first exit status other than 0.
fn first_failed(executions: &[Execution]) -> Option<u8> {
    executions
        .iter()
        .find_map(|execution| match execution.latest.outcome {
            Some(Outcome::Exited { status }) if status != 0 => Some(status),
            _ => None,
        })
}
