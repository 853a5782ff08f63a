//! The detail of a session, for an admin who has to find out why it is where it is: every
//! step with its result, what failed and what to do, and which projects have not replied.

use serde::Serialize;
use serde_json::{Value, json};
use tenterhook_maintenance::Stored;
use tenterhook_session::{Action, HostState, Metadata, Session, Step, Workflow};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use uuid::Uuid;

use crate::time_text::time_text;

/// How Fenix writes when the work starts: in UTC.
const STARTS_AT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

/// A session in full. Not a value, which would change the text of its metadata.
#[derive(Debug, Serialize)]
pub(super) struct Detail<'a> {
    session_id: Uuid,
    state: &'static str,
    workflow: &'a str,
    maintenance_at: String,
    metadata: &'a Metadata,
    download: &'a [String],
    actions: &'a [Action],
    created_at: String,
    created_by: &'a str,
    failure: Value,
    waiting_for: Value,
    projects: Value,
    hosts: Value,
    percent_done: u8,
    steps: &'a [Step],
}

/// Describes a session in full.
pub(super) fn describe<'a>(stored: &'a Stored, steps: &'a [Step]) -> Detail<'a> {
    let session = &stored.session;
    let plan = session.plan();
    Detail {
        session_id: session.id(),
        state: session.state().as_str(),
        workflow: workflow(&plan.workflow),
        maintenance_at: starts_at(plan.maintenance_at),
        metadata: &plan.metadata,
        download: &plan.download,
        actions: &plan.actions,
        created_at: time_text(stored.created_at),
        created_by: &stored.created_by,
        failure: failure(session, steps),
        waiting_for: waiting_for(session),
        projects: projects(session),
        hosts: hosts(session),
        percent_done: session.percent_done(),
        steps,
    }
}

/// What failed, with the remedy of the last step that went wrong.
fn failure(session: &Session, steps: &[Step]) -> Value {
    let Some(failure) = session.failure() else {
        return Value::Null;
    };
    // One step records what went wrong, the next that the session failed over it.
    let wrong = || {
        let latest = steps.iter().rev().skip_while(|step| step.ok);
        latest.take_while(|step| !step.ok)
    };
    json!({
        "state": failure.state.as_str(),
        "reason": failure.reason,
        "remedy": wrong().find_map(|step| step.remedy.as_deref()),
        "task": wrong().find_map(|step| step.task),
    })
}

/// Projects that were asked in the current state and have not replied yet.
fn waiting_for(session: &Session) -> Value {
    let state = session.state().as_str();
    session
        .projects()
        .iter()
        .filter(|(_, project)| project.state.as_deref() == Some(state))
        .map(|(id, _)| json!({"project_id": id, "reply": format!("ACK_{state}")}))
        .collect()
}

fn projects(session: &Session) -> Value {
    let one = |(id, project): (&String, &tenterhook_session::Project)| json!({"project_id": id, "state": project.state});
    session.projects().iter().map(one).collect()
}

/// Each host with what was last announced of it; null before its turn.
fn hosts(session: &Session) -> Value {
    let state = |host: &str| {
        if session.is_maintained(host) {
            Some(HostState::MaintenanceComplete)
        } else if session.is_in_maintenance(host) {
            Some(HostState::InMaintenance)
        } else {
            None
        }
    };
    let one = |host: &String| json!({"host": host, "state": state(host)});
    session.plan().hosts.iter().map(one).collect()
}

fn workflow(workflow: &Workflow) -> &str {
    match workflow {
        Workflow::Default => "default",
        Workflow::Vnf => "vnf",
        Workflow::Source(name) => name,
    }
}

fn starts_at(time: OffsetDateTime) -> String {
    time.to_offset(time::UtcOffset::UTC)
        .format(&STARTS_AT)
        .expect("our times lie in the years that this format can say")
}
