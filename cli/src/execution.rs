//! Executions as these commands name and describe them.
//!
//! An id is long, and its beginning is the time: short forms are its last group.
//! Any beginning or end that only one of the newest executions has will do.

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::client::{Client, text};

/// Characters of a whole id.
const ID_CHARS: usize = 36;

/// Fewest characters that name an execution.
const PART_CHARS: usize = 4;

/// Pages of the newest executions in which a part of an id is looked for.
const PAGES: usize = 5;

/// The id of the execution that is meant.
///
/// # Errors
///
/// There is none, or more than one.
pub(crate) fn find(client: &Client, said: &str) -> anyhow::Result<String> {
    let said = said.to_ascii_lowercase();
    if !said
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    {
        bail!(
            "`{}` is no execution; `tenterhook executions` shows them",
            said.escape_debug()
        );
    }
    if said.len() == ID_CHARS {
        return Ok(said);
    }
    if said.len() < PART_CHARS {
        bail!("`{said}` is too short for an execution: give at least {PART_CHARS} characters");
    }
    let newest = client.newest("/api/v1/executions", &[], PAGES)?;
    let is_meant = |id: &&str| id.starts_with(&said) || id.ends_with(&said);
    let mut found = newest.iter().map(|one| text(one, "id")).filter(is_meant);
    let id = found.next().with_context(|| {
        format!(
            "no execution of the newest {} begins or ends with `{said}`; `tenterhook executions` shows them, and a whole id finds any",
            newest.len()
        )
    })?;
    if let Some(other) = found.next() {
        bail!("`{said}` may be {id} or {other}; give more of it");
    }
    Ok(id.to_owned())
}

/// The short form of an id.
pub(crate) fn short(id: &str) -> &str {
    id.rsplit('-').next().unwrap_or(id)
}

/// How an execution ended, in words; empty if it did not.
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

/// What an execution answered, in words; empty if it did not.
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

/// The server or the container that an execution runs for; empty if it has none.
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
        let said = |one: Value| (outcome(&one), verdict(&one), target(&one));
        let one = json!({
            "outcome": {"kind": "exited", "status": 3},
            "verdict": {"allow": false, "reason": "full"},
            "server": {"name": "node-1"},
        });
        assert_eq!(
            said(one),
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
            said(one),
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
        assert_eq!(said(json!({})), Default::default());
    }

    #[test]
    fn the_short_form_is_the_part_that_differs() {
        assert_eq!(
            short("0198c0de-7a1b-7c3d-8e4f-5a6b7c8d9e0f"),
            "5a6b7c8d9e0f"
        );
    }
}
