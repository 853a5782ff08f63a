use serde_json::Map;
use tenterhook_delivery::Notification as _;
use tenterhook_dispatch::ReceivedEvent;
use tenterhook_engine::json;
use tenterhook_session::{ActionType, InstanceAction, Workflow};
use time::macros::datetime;

use super::data::METADATA_PARAMETERS;
use super::*;

fn reporter() -> Reporter {
    Reporter {
        session: Uuid::from_u128(7),
        account: AccountId::from_uuid(Uuid::from_u128(1)),
        base_url: "https://m.example".into(),
        now: datetime!(2031-05-06 07:08:09 UTC),
    }
}

fn notice() -> Notice {
    Notice {
        project: "blue".into(),
        state: "PLANNED_MAINTENANCE".into(),
        instance: None,
        allowed_actions: vec![InstanceAction::Migrate, InstanceAction::OwnAction],
        reply_at: Some(datetime!(2031-05-06 09:08:09 +2)),
        actions_at: None,
        metadata: r#"{"release":"Zed","z":1.10,"far":1e400}"#.parse().unwrap(),
    }
}

fn plan() -> Plan {
    Plan {
        hosts: vec!["node-1".into()],
        state: State::Maintenance,
        maintenance_at: datetime!(2031-05-06 07:08:09 UTC),
        workflow: Workflow::Default,
        metadata: r#"{"release":"Zed","upgrade":"none"}"#.parse().unwrap(),
        download: vec!["https://sw.example/a".into(), "https://sw.example/b".into()],
        actions: Vec::new(),
    }
}

fn act(metadata: &str) -> SessionEvent {
    let action = Action {
        plugin: "fw".into(),
        kind: ActionType::Host,
        metadata: metadata.parse().unwrap(),
    };
    let event = reporter().act(
        "k",
        &action,
        "node-1",
        (State::StartMaintenance, &plan()),
        2,
    );
    assert_eq!(event.attributes.kind, "action.host");
    event
}

fn situation(plan: Plan) -> Situation {
    Situation {
        session_id: Uuid::from_u128(7),
        state: State::Maintenance,
        percent_done: 0,
        proposed: State::ScaleIn,
        allowed: Vec::new(),
        plan,
        hosts: Map::new(),
        projects: Map::new(),
    }
}

/// The data, as far as values can hold it.
fn data(event: &SessionEvent) -> Value {
    json::nearest(&event.data)
}

#[test]
fn a_project_is_notified_in_the_documented_form() {
    let event = reporter().scheduled("9", 3, &notice());
    assert_eq!(event.attributes.kind, "maintenance.scheduled");
    assert_eq!(event.attributes.id, "9/3");
    let session = "00000000-0000-0000-0000-000000000007";
    let url = format!("https://m.example/v1/maintenance/{session}/blue");
    assert_eq!(
        data(&event),
        json!({
            "service": "fenix",
            "session_id": session,
            "project_id": "blue",
            "state": "PLANNED_MAINTENANCE",
            "instance_ids": url,
            "reply_url": url,
            "allowed_actions": ["MIGRATE", "OWN_ACTION"],
            "reply_at": "2031-05-06 07:08:09",
            "actions_at": null,
            "metadata": {"release": "Zed", "z": 1.1, "far": "1e400"},
        })
    );
}

#[test]
fn hooks_and_webhooks_get_metadata_as_it_was_sent() {
    let sent = r#""metadata":{"release":"Zed","z":1.10,"far":1e400}"#;
    let event = reporter().scheduled("9", 3, &notice());
    let body = String::from_utf8(event.to_json()).unwrap();
    assert!(body.contains(sent), "{body}");
    let received = ReceivedEvent::try_from(event).unwrap();
    let data = received.json_data().unwrap();
    assert!(data.contains(sent), "{data}");
    assert_eq!(ReceivedEvent::parse(body.as_bytes()), Ok(received));
    let plan = Plan {
        metadata: notice().metadata,
        ..plan()
    };
    let entered = reporter().enter("k", State::Maintenance, 0, &plan);
    assert!(entered.data.get().contains(sent), "{}", entered.data);
    let asked = reporter().decide("k", State::ScaleIn, &[], situation(plan));
    assert!(asked.data.get().contains(sent), "{}", asked.data);
}

#[test]
fn a_single_instance_is_a_list_of_one_and_has_its_own_address() {
    let notice = Notice {
        project: "a/b c".into(),
        instance: Some("vm?1".into()),
        ..notice()
    };
    let data = data(&reporter().scheduled("9", 0, &notice));
    assert_eq!(data["instance_ids"], json!(["vm?1"]));
    assert_eq!(
        data["reply_url"],
        "https://m.example/v1/maintenance/00000000-0000-0000-0000-000000000007/a%2Fb%20c/vm%3F1"
    );
}

#[test]
fn a_plug_ins_metadata_never_replaces_built_in_members() {
    let sent = r#"{"upgrade":"FW1","HOST":"elsewhere","sessionId":"x","deep":{"a":1},"count":3}"#;
    let data = data(&act(sent));
    assert_eq!(
        data["upgrade"], "FW1",
        "the action's goes before the session's"
    );
    assert_eq!(data["release"], "Zed");
    assert_eq!(data["count"], 3);
    assert_eq!(
        (&data["host"], &data["attempt"]),
        (&"node-1".into(), &2.into())
    );
    for absent in ["HOST", "sessionId", "deep"] {
        assert_eq!(data.get(absent), None, "{absent}");
    }
    assert_eq!(
        data["metadata"]["HOST"], "elsewhere",
        "it is passed on unchanged"
    );
    assert_eq!(
        data["downloads"],
        "https://sw.example/a\nhttps://sw.example/b"
    );
}

#[test]
fn metadata_stands_beside_our_members_in_its_order_and_with_its_text() {
    let sent = r#"{"z":1.10,"far":1e400,"n":1,"\ud83d":0,"b":"caf\u00e9","n":-0,"a":null}"#;
    let event = act(sent);
    let beside = r#","z":1.10,"far":1e400,"b":"caf\u00e9","n":-0,"a":null,"release":"Zed","upgrade":"none"}"#;
    assert!(event.data.get().ends_with(beside), "{}", event.data);
    let whole = format!(r#""metadata":{sent}"#);
    assert!(event.data.get().contains(&whole), "{}", event.data);
}

#[test]
fn a_limited_number_of_metadata_members_become_parameters() {
    let many: Vec<_> = (0..100).map(|i| format!("\"m{i:03}\":{i}")).collect();
    let data = data(&act(&format!("{{{}}}", many.join(","))));
    let beside = (0..100)
        .filter(|i| data.get(format!("m{i:03}")).is_some())
        .count();
    assert_eq!(beside, METADATA_PARAMETERS);
    assert_eq!(data["metadata"].as_object().unwrap().len(), 100);
}

#[test]
fn a_workflow_always_gets_its_own_session() {
    let situation = Situation {
        session_id: Uuid::from_u128(8),
        ..situation(plan())
    };
    let event = reporter().decide(
        "k",
        State::StartMaintenance,
        &[State::StartMaintenance, State::MaintenanceFailed],
        situation,
    );
    let data = data(&event);
    assert_eq!(data["session_id"], json!(Uuid::from_u128(7)));
    assert_eq!(data["proposed"], "START_MAINTENANCE");
    assert_eq!(
        data["allowed"],
        json!(["START_MAINTENANCE", "MAINTENANCE_FAILED"])
    );
    assert_eq!(data["projects"], json!({}));
}
