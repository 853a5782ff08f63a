use tenterhook_session::{ActionType, InstanceAction, Workflow};
use time::macros::datetime;

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
        metadata: Map::from_iter([("release".to_owned(), "Zed".into())]),
    }
}

fn plan() -> Plan {
    Plan {
        hosts: vec!["node-1".into()],
        state: State::Maintenance,
        maintenance_at: datetime!(2031-05-06 07:08:09 UTC),
        workflow: Workflow::Default,
        metadata: Map::from_iter([
            ("release".to_owned(), "Zed".into()),
            ("upgrade".to_owned(), "none".into()),
        ]),
        download: vec!["https://sw.example/a".into(), "https://sw.example/b".into()],
        actions: Vec::new(),
    }
}

fn act(metadata: Value) -> Value {
    let Value::Object(metadata) = metadata else {
        panic!("metadata is an object")
    };
    let action = Action {
        plugin: "fw".into(),
        kind: ActionType::Host,
        metadata,
    };
    let event = reporter().act(
        "k",
        &action,
        "node-1",
        (State::StartMaintenance, &plan()),
        2,
    );
    assert_eq!(event.kind, "action.host");
    event.data.unwrap()
}

#[test]
fn a_project_is_notified_in_the_documented_form() {
    let event = reporter().scheduled("9", 3, &notice());
    assert_eq!(event.kind, "maintenance.scheduled");
    assert_eq!(event.id, "9/3");
    let session = "00000000-0000-0000-0000-000000000007";
    let url = format!("https://m.example/v1/maintenance/{session}/blue");
    assert_eq!(
        event.data.unwrap(),
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
            "metadata": {"release": "Zed"},
        })
    );
}

#[test]
fn a_single_instance_is_a_list_of_one_and_has_its_own_address() {
    let notice = Notice {
        project: "a/b c".into(),
        instance: Some("vm?1".into()),
        ..notice()
    };
    let data = reporter().scheduled("9", 0, &notice).data.unwrap();
    assert_eq!(data["instance_ids"], json!(["vm?1"]));
    assert_eq!(
        data["reply_url"],
        "https://m.example/v1/maintenance/00000000-0000-0000-0000-000000000007/a%2Fb%20c/vm%3F1"
    );
}

#[test]
fn a_plug_ins_metadata_never_replaces_built_in_members() {
    let data = act(json!({
        "upgrade": "FW1", "HOST": "elsewhere", "sessionId": "x", "deep": {"a": 1}, "count": 3,
    }));
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
fn a_limited_number_of_metadata_members_become_parameters() {
    let many: Map<_, _> = (0..100)
        .map(|i| (format!("m{i:03}"), Value::from(i)))
        .collect();
    let data = act(many.into());
    let beside = (0..100)
        .filter(|i| data.get(format!("m{i:03}")).is_some())
        .count();
    assert_eq!(beside, METADATA_PARAMETERS);
    assert_eq!(data["metadata"].as_object().unwrap().len(), 100);
}

#[test]
fn a_workflow_always_gets_its_own_session() {
    let situation = json!({"session_id": "another", "projects": {}});
    let event = reporter().decide(
        "k",
        State::StartMaintenance,
        &[State::StartMaintenance, State::MaintenanceFailed],
        situation,
    );
    let data = event.data.unwrap();
    assert_eq!(data["session_id"], json!(Uuid::from_u128(7)));
    assert_eq!(
        data["allowed"],
        json!(["START_MAINTENANCE", "MAINTENANCE_FAILED"])
    );
    assert_eq!(data["projects"], json!({}));
}
