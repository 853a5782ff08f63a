//! Tasks as this API shows them, with or without their executions.

use tenterhook_dispatch as dispatch;
use tenterhook_wire::{Event, Progress, Reason, Task};

use crate::astra::hook_state;
use crate::native::executions::execution;
use crate::native::words;
use crate::time_text::time_text;

/// Shows a task alone.
pub(in crate::native) fn task(own: dispatch::Task) -> Task {
    Task {
        id: own.id.to_string(),
        number: own.number.get(),
        name: own.name,
        state: words::state(own.state),
        started_by: own.started_by,
        object: own.object,
        event: own.event.map(|event| Event {
            source: event.source,
            id: event.id,
            kind: event.kind,
        }),
        progress: Progress {
            total: own.progress.total,
            complete: own.progress.complete,
        },
        cancelled: own.cancelled,
        created_at: time_text(own.created_at),
        started_at: own.started_at.map(time_text),
        ended_at: own.ended_at.map(time_text),
        allow: None,
        reasons: None,
        result: None,
        hook_state: None,
        hook_state_details: None,
        executions: None,
    }
}

/// Shows a task with its executions and what they mean together.
pub(in crate::native) fn task_with_executions(own: dispatch::TaskDetail) -> Task {
    let (ruling, result) = (own.ruling(), own.result());
    let failures = hook_state::failures(&own);
    let (allow, reasons) = match ruling {
        Some(ruling) => (Some(ruling.allow), Some(ruling.reasons)),
        None => (None, None),
    };
    let reasons = reasons.filter(|reasons| !reasons.is_empty());
    Task {
        allow,
        reasons: reasons.map(|reasons| reasons.into_iter().map(reason).collect()),
        result,
        hook_state: failures
            .as_ref()
            .map(|failures| hook_state::word(failures).to_owned()),
        hook_state_details: failures,
        executions: Some(own.executions.into_iter().map(execution).collect()),
        ..task(own.task)
    }
}

fn reason(own: dispatch::Reason) -> Reason {
    Reason {
        execution: own.execution.to_string(),
        hook: own.hook.map(dispatch::Number::get),
        server: own.server,
        reason: own.reason,
    }
}
