//! Replies in both spellings, and invalid replies.

use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::*;

const A: &str = "0b7c1b3e-5a41-4f4c-9d8e-2f6a7c8d9e0f";
const B: &str = "1b7c1b3e-5a41-4f4c-9d8e-2f6a7c8d9e0f";

fn read_value(value: &Value, instance: Option<&str>) -> Result<Reply, Problem> {
    read(&to_raw_value(value).unwrap(), instance.map(str::to_owned))
}

#[test]
fn both_spellings_are_read() {
    let plural = json!({"state": "ACK_PLANNED_MAINTENANCE",
        "instance_actions": {A: "MIGRATE", B.to_uppercase(): "OWN_ACTION"}});
    let reply = read_value(&plural, None).unwrap();
    assert_eq!(
        (reply.state, reply.agreed),
        (State::PlannedMaintenance, true)
    );
    assert_eq!(reply.instance_actions[A], InstanceAction::Migrate);
    assert_eq!(reply.instance_actions[B], InstanceAction::OwnAction);
    assert_eq!((&reply.instance, reply.instance_action), (&None, None));

    let singular = json!({"state": "ACK_PLANNED_MAINTENANCE",
        "instance_action": "LIVE_MIGRATE", "session_id": A});
    for (sent, in_path, instance) in [
        (singular.clone(), None, None),
        (singular.clone(), Some(A), Some(A)),
        (with_ids(&singular, json!([A])), None, Some(A)),
        (with_ids(&singular, json!([A])), Some(A), Some(A)),
    ] {
        let reply = read_value(&sent, in_path).unwrap();
        assert_eq!(reply.instance.as_deref(), instance, "{sent}");
        assert_eq!(reply.instance_action, Some(InstanceAction::LiveMigrate));
        assert!(reply.instance_actions.is_empty());
    }
    let several = read_value(&with_ids(&singular, json!([A, B])), None).unwrap();
    assert_eq!(several.instance_actions.len(), 2);
    assert_eq!(several.instance_action, None);
}

fn with_ids(body: &Value, ids: Value) -> Value {
    let mut body = body.clone();
    body["instance_ids"] = ids;
    body
}

#[test]
fn a_refusal_and_additional_members_are_read() {
    let body = json!({"state": "NACK_SCALE_IN", "session_id": "", "instance_ids": "http://x",
        "instance_actions": {}, "instance_action": null, "other": 1});
    let reply = read_value(&body, None).unwrap();
    assert_eq!((reply.state, reply.agreed), (State::ScaleIn, false));
}

#[test]
fn invalid_members_are_named() {
    let ack = "ACK_PLANNED_MAINTENANCE";
    for (body, in_path, error) in [
        (json!({}), None, "`state` is missing"),
        (json!({"state": 1}), None, "`state` must be"),
        (json!({"state": "MAINTENANCE"}), None, "`state` must be"),
        (json!({"state": "ack_MAINTENANCE"}), None, "`state` must be"),
        (json!({"state": "ACK_LUNCH"}), None, "`state` must be"),
        (json!({"state": "ACK_"}), None, "`state` must be"),
        (
            json!({"state": ack, "instance_actions": {A: "FLY"}}),
            None,
            "`instance_actions.0b7c1b3e",
        ),
        (
            json!({"state": ack, "instance_actions": {A: null}}),
            None,
            "`instance_actions.0b7c1b3e",
        ),
        (
            json!({"state": ack, "instance_actions": [A]}),
            None,
            "`instance_actions` must be an object",
        ),
        (
            json!({"state": ack, "instance_action": "FLY"}),
            None,
            "`instance_action` must be",
        ),
        (
            json!({"state": ack, "instance_action": "MIGRATE", "instance_ids": [B]}),
            Some(A),
            "`instance_ids` must name",
        ),
        (
            json!({"state": ack, "instance_action": "MIGRATE", "instance_ids": [1]}),
            None,
            "`instance_ids[0]` must be",
        ),
        (
            json!({"state": ack, "instance_action": "MIGRATE", "instance_ids": [A, "web"]}),
            None,
            "`instance_ids[1]` must be",
        ),
        (
            json!({"state": ack, "instance_actions": {"web": "MIGRATE"}}),
            None,
            "`instance_actions` must name",
        ),
    ] {
        let problem = read_value(&body, in_path).unwrap_err();
        assert!(problem.detail().starts_with(error), "{}", problem.detail());
    }
}

#[test]
fn the_number_of_instances_in_a_reply_is_bounded() {
    let many = |count: usize| {
        let ids = (0..count).map(|n| (Uuid::from_u128(n as u128).to_string(), "MIGRATE"));
        let actions: BTreeMap<_, _> = ids.collect();
        json!({"state": "ACK_PLANNED_MAINTENANCE", "instance_actions": actions})
    };
    let most = read_value(&many(INSTANCES_MAX), None).unwrap();
    assert_eq!(most.instance_actions.len(), INSTANCES_MAX);
    let problem = read_value(&many(INSTANCES_MAX + 1), None).unwrap_err();
    assert!(problem.detail().contains("1024"), "{}", problem.detail());
}

#[test]
fn choices_are_dropped_in_states_without_a_choice() {
    let body = json!({"state": "ACK_MAINTENANCE", "instance_actions": {A: "MIGRATE"},
        "instance_action": "MIGRATE", "instance_ids": [A]});
    let reply = read_value(&body, None).unwrap();
    assert!(reply.instance_actions.is_empty());
    assert_eq!((reply.instance, reply.instance_action), (None, None));
}
