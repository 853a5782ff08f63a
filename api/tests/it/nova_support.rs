//! What the tests of Nova's API have in common: instances, and requests to it.

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, uuid};

pub(crate) const PATH: &str = "/v2.1/os-server-external-events";

/// A server of the account under test.
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) number: i64,
}

/// Enters a server that is on a host, or on none.
pub(crate) async fn instance(app: &TestApp, name: &str, host: Option<&str>) -> Instance {
    let new = json!({"name": name, "uuid": uuid(), "host": host});
    let server = app.post("/api/v1/servers", &new).await.expect(201);
    Instance {
        id: server["uuid"].as_str().unwrap().to_owned(),
        number: server["id"].as_i64().unwrap(),
    }
}

/// A request with these events.
pub(crate) fn events(events: &[Value]) -> Value {
    json!({ "events": events })
}

pub(crate) fn event(name: &str, server: &str) -> Value {
    json!({"name": name, "server_uuid": server})
}

pub(crate) fn tagged(name: &str, server: &str, tag: &str) -> Value {
    json!({"name": name, "server_uuid": server, "tag": tag})
}

/// Posts a body as it stands, with the owner's token and this version.
pub(crate) async fn post_at(app: &TestApp, version: &str, body: &Value) -> Answer {
    let call = app.call(Method::POST, PATH).await;
    let header = format!("compute {version}");
    let call = call.header("openstack-api-version", &header).json(body);
    call.send().await
}

/// Checks that it is a fault of this name and status; returns its message.
#[track_caller]
pub(crate) fn message(answer: &Answer, status: u16, name: &str) -> String {
    let body = answer.expect(status);
    assert_eq!(
        answer.header("content-type"),
        "application/json; charset=UTF-8"
    );
    let members = body.as_object().unwrap();
    assert_eq!(members.len(), 1, "{body}");
    assert_eq!(body[name]["code"], status, "{body}");
    body[name]["message"].as_str().unwrap().to_owned()
}

/// The tasks of the account, oldest first.
pub(crate) async fn tasks(app: &TestApp) -> Vec<Value> {
    let list = app.get("/api/v1/tasks?limit=1000").await.expect(200);
    let mut tasks = list["items"].as_array().unwrap().clone();
    tasks.reverse();
    tasks
}

/// The same, with their executions, each of them over.
pub(crate) async fn ended_tasks(app: &TestApp) -> Vec<Value> {
    let mut ended = Vec::new();
    for task in tasks(app).await {
        let number = task["number"].as_i64().unwrap();
        app.ended(number).await;
        ended.push(
            app.get(&format!("/api/v1/tasks/{number}"))
                .await
                .expect(200),
        );
    }
    ended
}
