//! How commands name and describe executions.
//!
//! An id is long, and its beginning is the time: short forms are its last group.
//! Any beginning or end that only one of the newest executions has will do.

use anyhow::{Context as _, bail};
use tenterhook_wire::{Attempt, Execution, ExecutionHead, Outcome};

use crate::amount;
use crate::client::{Client, Received};

/// Where executions are served.
pub(crate) const PATH: &str = "/api/v1/executions";

/// Characters of a whole id.
const ID_CHARS: usize = 36;

/// Fewest characters that may name an execution.
const PART_CHARS: usize = 4;

/// Pages of the newest executions that are searched for part of an id.
const PAGES: usize = 5;

/// Finds the execution whose id begins or ends with `id_part`.
///
/// # Errors
///
/// No execution matches, or more than one.
pub(crate) fn find(client: &Client, id_part: &str) -> anyhow::Result<String> {
    let id_part = id_part.to_ascii_lowercase();
    if !id_part
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    {
        bail!(
            "`{}` is not an execution id; `tenterhook executions` lists them",
            id_part.escape_debug()
        );
    }
    if id_part.len() == ID_CHARS {
        return Ok(id_part);
    }
    if id_part.len() < PART_CHARS {
        bail!("`{id_part}` is too short for an execution: give at least {PART_CHARS} characters");
    }
    let newest: Vec<Received<Execution>> = client.newest(PATH, &[], PAGES)?;
    let is_meant = |id: &&str| id.starts_with(&id_part) || id.ends_with(&id_part);
    let ids = newest.iter().map(|one| one.head.id.as_str());
    let mut found = ids.filter(is_meant);
    let id = found.next().with_context(|| {
        format!(
            "none of the newest {} executions has an id that begins or ends with `{id_part}`; `tenterhook executions` lists them, and a full id finds any",
            newest.len()
        )
    })?;
    if let Some(other) = found.next() {
        bail!("`{id_part}` is ambiguous: it matches {id} and {other}; give more characters");
    }
    Ok(id.to_owned())
}

/// Returns the short form of an id.
pub(crate) fn short(id: &str) -> &str {
    id.rsplit('-').next().unwrap_or(id)
}

/// Describes how an attempt ended; empty if it has not.
pub(crate) fn outcome(attempt: &Attempt) -> String {
    if let Some(fault) = &attempt.verdict_fault {
        return format!("its answer cannot be used: {fault}");
    }
    match &attempt.outcome {
        Some(Outcome::Exited { status }) => format!("exited with status {status}"),
        Some(Outcome::Stopped { limit }) if limit == "host" => {
            "stopped: its host had no room for it".into()
        }
        Some(Outcome::Stopped { limit }) => format!("stopped at its {limit} limit"),
        Some(Outcome::Trapped { reason, .. }) => format!("trapped: {reason}"),
        Some(Outcome::Cancelled) => "cancelled".into(),
        None => attempt.error.clone().unwrap_or_default(),
    }
}

/// Describes an attempt's verdict; empty if it has none.
pub(crate) fn verdict(attempt: &Attempt) -> String {
    let Some(verdict) = &attempt.verdict else {
        return String::new();
    };
    let word = match verdict.allow() {
        Some(true) => "allow",
        Some(false) => "deny",
        None => "",
    };
    match (word, verdict.reason().unwrap_or_default()) {
        (word, reason) if reason.is_empty() => word.to_owned(),
        ("", reason) => reason,
        (word, reason) => format!("{word}: {reason}"),
    }
}

/// Formats the fuel of an attempt; empty if it is not known.
pub(crate) fn fuel(attempt: &Attempt) -> String {
    let usage = attempt.usage.as_ref();
    usage.map_or_else(String::new, |usage| amount::count(usage.fuel))
}

/// Formats the memory of an attempt; empty if it is not known.
pub(crate) fn memory(attempt: &Attempt) -> String {
    let usage = attempt.usage.as_ref();
    usage.map_or_else(String::new, |usage| amount::size(usage.memory_peak_bytes))
}

/// Formats the time of an attempt; empty if it is not known.
pub(crate) fn duration(attempt: &Attempt) -> String {
    let usage = attempt.usage.as_ref();
    usage.map_or_else(String::new, |usage| amount::time(usage.wall_us))
}

/// Names the server or container that an execution runs for; empty if it has none.
pub(crate) fn target(execution: &ExecutionHead) -> String {
    match (&execution.server, &execution.container) {
        (Some(server), _) => server.name.clone(),
        (None, Some(container)) => format!("{}/{}", container.pod_name, container.container_name),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_outcome_of_an_execution_is_described_in_words() {
        let described = |json: Value| {
            let mut whole = json!({
                "id": "a", "task": "b", "task_number": 1, "name": "guard", "digest": "",
                "state": "FAILED", "failure_policy": "open", "dead": false, "created_at": "",
                "attempt": 1,
            });
            let members = whole.as_object_mut().unwrap();
            members.extend(json.as_object().unwrap().clone());
            let one: Execution = serde_json::from_str(&whole.to_string()).unwrap();
            [
                outcome(&one.latest),
                verdict(&one.latest),
                target(&one.head),
            ]
        };
        let one = json!({
            "outcome": {"kind": "exited", "status": 3},
            "verdict": {"allow": false, "reason": "full"},
            "server": {"number": 1, "name": "node-1"},
        });
        assert_eq!(
            described(one),
            ["exited with status 3", "deny: full", "node-1"]
        );
        let one = json!({
            "outcome": {"kind": "stopped", "limit": "fuel"},
            "verdict": {"allow": true},
            "container": {
                "podName": "db-0", "containerName": "main", "containerImage": "",
                "namespaceName": "",
            },
        });
        assert_eq!(
            described(one),
            ["stopped at its fuel limit", "allow", "db-0/main"]
        );
        let one = json!({"error": "no thread"});
        assert_eq!(described(one), ["no thread", "", ""]);
        let one = json!({"outcome": {"kind": "exited", "status": 0}, "verdict_fault": "no JSON"});
        assert_eq!(
            described(one),
            ["its answer cannot be used: no JSON", "", ""]
        );
        assert_eq!(described(json!({})), ["", "", ""]);
    }

    #[test]
    fn the_short_form_is_the_distinguishing_part() {
        assert_eq!(
            short("0198c0de-7a1b-7c3d-8e4f-5a6b7c8d9e0f"),
            "5a6b7c8d9e0f"
        );
    }
}
