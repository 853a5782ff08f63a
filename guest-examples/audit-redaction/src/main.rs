//! Forwards each audit entry as a log line, without secrets and personal data.
//!
//! Event: `OnAudit`. Prints one structured log line; a collector takes it from the
//! execution. Of people's names the first letter is left, addresses lose their last
//! part, and what looks like a secret is left out. Those who may see more find it in
//! the audit log, by the entry's id.

mod redact;

use tenterhook_sdk::events::OnAudit;
use tenterhook_sdk::{hook, info};

#[hook]
fn forward(entry: OnAudit) {
    info!(
        "audit",
        id = entry.id,
        time = entry.time,
        category = entry.category,
        operation = entry.operation,
        user = redact::person(&entry.username),
        ip = redact::address(&entry.ip),
        method = entry.method,
        status = entry.status,
        endpoint = redact::text(&entry.endpoint),
        query = redact::json(entry.query_params),
        body = redact::body(&entry.body),
    );
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};
    use tenterhook_sdk::testing::Case;

    use super::*;

    /// The fields of the line that comes of a sample event.
    fn forwarded(event: &str) -> Map<String, Value> {
        let outcome = Case::json(event).run(forward);
        assert!(outcome.allowed(), "{outcome:?}");
        outcome.log.into_iter().next().unwrap().fields
    }

    #[test]
    fn secrets_and_people_do_not_leave() {
        let event = include_str!("../tests/new-user.event.json");
        let line = Value::from(forwarded(event)).to_string();
        for secret in [
            "correct horse",
            "BEGIN",
            "t0p",
            "grace.hopper",
            "ada.lovelace",
            "192.0.2.17",
            "db8::17",
        ] {
            assert!(event.contains(secret), "the sample event has {secret}");
            assert!(!line.contains(secret), "{secret} is in {line}");
        }
        assert!(
            line.contains("create_principal") && line.contains("admin"),
            "{line}"
        );
    }

    #[test]
    fn what_is_no_secret_is_forwarded_as_it_is() {
        let line = forwarded(include_str!("../tests/reading.event.json"));
        assert_eq!(line["endpoint"], "/api/events/hooks");
        assert_eq!(line["status"], 200);
        assert_eq!(line["body"], "");
        assert_eq!(line["ip"], "2001:db8:17:***");
        assert_eq!(line["user"], "a***");
    }

    #[test]
    fn a_body_that_was_cut_is_not_forwarded_at_all() {
        let line = forwarded(include_str!("../tests/broken-body.event.json"));
        assert_eq!(line["body"], json!("[39 bytes that are not JSON]"));
    }

    #[test]
    fn a_log_level_above_info_forwards_nothing() {
        let case = Case::json(include_str!("../tests/reading.event.json"));
        assert!(case.env("HOOK_LOG", "warn").run(forward).log.is_empty());
    }
}
