//! How commands name and describe executions.
//!
//! An id is long, and its beginning is the time: short forms are its last group.
//! Any beginning or end that only one of the newest executions has will do.

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::client::{Client, text};

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
    let newest = client.newest("/api/v1/executions", &[], PAGES)?;
    let is_meant = |id: &&str| id.starts_with(&id_part) || id.ends_with(&id_part);
    let mut found = newest.iter().map(|one| text(one, "id")).filter(is_meant);
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

/// Describes how an execution ended; empty if it has not.
pub(crate) fn outcome(execution: &Value) -> String {
    let outcome = &execution["outcome"];
    if let Some(fault) = execution["verdict_fault"].as_str() {
        return format!("its answer cannot be used: {fault}");
    }
    match outcome["kind"].as_str() {
        Some("exited") => format!("exited with status {}", outcome["status"]),
        Some("stopped") if text(outcome, "limit") == "host" => {
            "stopped: its host had no room for it".into()
        }
        Some("stopped") => format!("stopped at its {} limit", text(outcome, "limit")),
        Some("trapped") => format!("trapped: {}", text(outcome, "reason")),
        Some(kind) => kind.to_owned(),
        None => text(execution, "error").to_owned(),
    }
}

/// Describes an execution's verdict; empty if it has none.
pub(crate) fn verdict(execution: &Value) -> String {
    let verdict = &execution["verdict"];
    let reason = text(verdict, "reason");
    let word = match verdict["allow"].as_bool() {
        Some(true) => "allow",
        Some(false) => "deny",
        None => "",
    };
    match (word, reason) {
        (word, "") => word.to_owned(),
        ("", reason) => reason.to_owned(),
        (word, reason) => format!("{word}: {reason}"),
    }
}

/// Names the server or container that an execution runs for; empty if it has none.
pub(crate) fn target(execution: &Value) -> String {
    let container = &execution["container"];
    match (
        execution["server"]["name"].as_str(),
        container["podName"].as_str(),
    ) {
        (Some(server), _) => server.to_owned(),
        (None, Some(pod)) => format!("{pod}/{}", text(container, "containerName")),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_became_of_an_execution_is_said_in_words() {
        let described = |one: Value| (outcome(&one), verdict(&one), target(&one));
        let one = json!({
            "outcome": {"kind": "exited", "status": 3},
            "verdict": {"allow": false, "reason": "full"},
            "server": {"name": "node-1"},
        });
        assert_eq!(
            described(one),
            (
                "exited with status 3".into(),
                "deny: full".into(),
                "node-1".into()
            )
        );
        let one = json!({
            "outcome": {"kind": "stopped", "limit": "fuel"},
            "verdict": {"allow": true},
            "container": {"podName": "db-0", "containerName": "main"},
        });
        assert_eq!(
            described(one),
            (
                "stopped at its fuel limit".into(),
                "allow".into(),
                "db-0/main".into()
            )
        );
        assert_eq!(outcome(&json!({"error": "no thread"})), "no thread");
        let unusable =
            json!({"outcome": {"kind": "exited", "status": 0}, "verdict_fault": "no JSON"});
        assert_eq!(outcome(&unusable), "its answer cannot be used: no JSON");
        assert_eq!(described(json!({})), Default::default());
    }

    #[test]
    fn the_short_form_is_the_part_that_differs() {
        assert_eq!(
            short("0198c0de-7a1b-7c3d-8e4f-5a6b7c8d9e0f"),
            "5a6b7c8d9e0f"
        );
    }
}
