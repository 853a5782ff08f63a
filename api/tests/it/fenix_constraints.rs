//! The constraints of projects on their instances and groups, through Fenix's API.

use http::Method;
use serde_json::{Value, json};

use crate::fenix_support::{Fenix, NOBODY, with};

fn instance() -> Value {
    json!({
        "instance_id": NOBODY, "project_id": "blue", "group_id": "g-1", "instance_name": "web",
        "max_interruption_time": 120, "migration_type": "LIVE_MIGRATE",
        "resource_mitigation": true, "lead_time": 40,
    })
}

fn group() -> Value {
    json!({
        "group_id": "g-1", "project_id": "blue", "group_name": "webs",
        "anti_affinity_group": true, "max_instances_per_host": 1, "max_impacted_members": 2,
        "recovery_time": 4, "resource_mitigation": true,
    })
}

#[tokio::test]
async fn constraints_are_stored_replaced_and_deleted() {
    let fenix = Fenix::start().await;
    for (path, body, change) in [
        (
            format!("/v1/instance/{NOBODY}"),
            instance(),
            json!({"lead_time": 41}),
        ),
        (
            "/v1/instance_group/g-1".to_owned(),
            group(),
            json!({"recovery_time": 5}),
        ),
    ] {
        assert_eq!(fenix.reply(&path, &body).await.expect(200), body);
        let changed = with(body, &change);
        assert_eq!(fenix.reply(&path, &changed).await.expect(200), changed);
        let call = fenix.call_as(&fenix.member, Method::DELETE, &path).await;
        assert_eq!(call.send().await.expect(200), json!({}));
        fenix.delete(&path).await.expect_fenix_error(404);
    }
}

#[tokio::test]
async fn omitted_members_default_to_what_clients_send() {
    let fenix = Fenix::start().await;
    let path = format!("/v1/instance/{}", NOBODY.to_uppercase());
    // One client has its own word for a migration.
    let body = json!({"project_id": "blue", "group_id": "g-1", "migration_type": "MIGRATION"});
    assert_eq!(
        fenix.reply(&path, &body).await.expect(200),
        json!({
            "instance_id": NOBODY, "project_id": "blue", "group_id": "g-1", "instance_name": "",
            "max_interruption_time": 120, "migration_type": "MIGRATE",
            "resource_mitigation": false, "lead_time": 120,
        })
    );
    let body = json!({"project_id": "blue", "group_name": null});
    assert_eq!(
        fenix
            .reply("/v1/instance_group/g-2", &body)
            .await
            .expect(200),
        json!({
            "group_id": "g-2", "project_id": "blue", "group_name": "",
            "anti_affinity_group": false, "max_instances_per_host": 0,
            "max_impacted_members": 1, "recovery_time": 60, "resource_mitigation": false,
        })
    );
}

#[tokio::test]
async fn an_invalid_member_is_named() {
    let fenix = Fenix::start().await;
    let long = "x".repeat(256);
    let of_instance = [
        ("instance_id", json!("0b7c1b3e-0000-1f4c-9d8e-2f6a7c8d9e0f")),
        ("instance_id", json!(7)),
        ("project_id", Value::Null),
        ("project_id", json!("")),
        ("project_id", json!(&long)),
        ("group_id", Value::Null),
        ("group_id", json!("a\u{7}b")),
        ("instance_name", json!(&long)),
        ("max_interruption_time", json!(-1)),
        ("max_interruption_time", json!(604_801)),
        ("max_interruption_time", json!("120")),
        ("migration_type", json!("FLY")),
        ("resource_mitigation", json!("True")),
        ("lead_time", json!(1.5)),
        ("lead_time", json!(u64::MAX)),
    ];
    let of_group = [
        ("group_id", json!("g-2")),
        ("project_id", json!([])),
        ("group_name", json!({})),
        ("anti_affinity_group", json!(1)),
        ("max_instances_per_host", json!(20_001)),
        ("max_impacted_members", json!(0)),
        ("recovery_time", json!("2")),
        ("resource_mitigation", json!("yes")),
    ];
    let path = format!("/v1/instance/{NOBODY}");
    for (name, value) in of_instance {
        let body = with(instance(), &json!({name: value}));
        let error = fenix.reply(&path, &body).await.expect_fenix_error(400);
        assert!(error.starts_with(&format!("`{name}` ")), "{error}");
    }
    for (name, value) in of_group {
        let body = with(group(), &json!({name: value}));
        let answer = fenix.reply("/v1/instance_group/g-1", &body).await;
        let error = answer.expect_fenix_error(400);
        assert!(error.starts_with(&format!("`{name}` ")), "{error}");
    }
}

#[tokio::test]
async fn invalid_ids_are_422() {
    let fenix = Fenix::start().await;
    for path in [
        "/v1/instance/web".to_owned(),
        format!("/v1/instance/%7B{NOBODY}%7D"),
        format!("/v1/instance_group/{}", "x".repeat(256)),
        "/v1/instance_group/a%0Ab".to_owned(),
    ] {
        fenix
            .reply(&path, &with(instance(), &group()))
            .await
            .expect_fenix_error(422);
        fenix.delete(&path).await.expect_fenix_error(422);
    }
}

#[tokio::test]
async fn constraints_belong_to_their_account() {
    let fenix = Fenix::start().await;
    let (_, other) = fenix.app.tenant("red").await;
    let path = format!("/v1/instance/{NOBODY}");
    fenix.reply(&path, &instance()).await.expect(200);
    let call = fenix.call_as(&other, Method::DELETE, &path).await;
    call.send().await.expect_fenix_error(404);
    let call = fenix.call_as(&other, Method::PUT, &path).await;
    call.json(&instance()).send().await.expect(200);
    fenix.delete(&path).await.expect(200);
    let call = fenix.call_as(&other, Method::DELETE, &path).await;
    call.send().await.expect(200);
}
