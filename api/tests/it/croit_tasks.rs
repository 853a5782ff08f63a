//! croit's tasks: one, some, the active ones, lists of both generations, cancel.

use serde_json::{Value, json};

use crate::support::{TestApp, encode};

async fn run(app: &TestApp, server: i64, script: &str) -> i64 {
    let body = json!({"script": script, "args": [], "servers": [server]});
    let task = app
        .post("/api/events/scripts/execute", &body)
        .await
        .expect(200);
    task["id"].as_i64().unwrap()
}

fn ids(rows: &Value) -> Vec<i64> {
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_i64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_running_task_is_active_and_can_be_cancelled() {
    let app = TestApp::start().await;
    let server = app.server("node-1").await;
    let id = run(&app, server, "sleep 1h").await;
    assert_eq!(ids(&app.get("/api/tasks/active").await.expect(200)), [id]);
    let answer = app
        .call(http::Method::POST, &format!("/api/tasks/{id}/cancel"))
        .await
        .send()
        .await;
    answer.expect(201);
    app.ended(id).await;
    let task = app.get(&format!("/api/tasks/{id}")).await.expect(200);
    assert_eq!(
        (&task["state"], &task["statusCode"]),
        (&json!("CANCELED"), &json!(-256))
    );
    assert_eq!(
        (&task["cancelled"], &task["done"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(app.get("/api/tasks/active").await.expect(200), json!([]));
}

#[tokio::test]
async fn a_status_shows_known_tasks_and_leaves_the_others_out() {
    let app = TestApp::start().await;
    let server = app.server("node-1").await;
    let id = run(&app, server, "true").await;
    let answer = app
        .get(&format!("/api/tasks/status?id={id}&id=999"))
        .await
        .expect(200);
    assert_eq!(ids(&answer), [id]);
    assert!(
        app.get("/api/tasks/status")
            .await
            .expect_croit_error(400)
            .contains("id")
    );
    app.get("/api/tasks/status?id=x")
        .await
        .expect_croit_error(400);
    app.get("/api/tasks/999").await.expect_croit_error(404);
}

#[tokio::test]
async fn numbers_of_a_result_are_compared_exactly() {
    let app = TestApp::start().await;
    let server = app.server("node-1").await;
    let verdict = r#"{"allow":true,"n":1.10,"big":12345678901234567890123}"#;
    let id = run(&app, server, &format!("echo '{verdict}' > /verdict.json")).await;
    app.ended(id).await;
    let found = async |field: &str, operator: &str, operand: &str| {
        let wanted = json!({"where": {field: {operator: operand}}});
        let path = format!("/api/tasks?pagination={}", encode(&wanted));
        ids(&app.get(&path).await.expect(200)["data"])
    };
    for (field, operator, operand, is_found) in [
        ("result.n", "_eq", "1.10", true),
        ("result.n", "_gt", "1.09", true),
        ("result.big", "_eq", "12345678901234567890123", true),
        ("result.big", "_gt", "12345678901234567890122", true),
        ("result.big", "_lt", "12345678901234567890124", true),
        ("result.big", "_gt", "12345678901234567890123", false),
        ("result.big", "_eq", "12345678901234567890124", false),
    ] {
        let expected = if is_found { vec![id] } else { Vec::new() };
        assert_eq!(
            found(field, operator, operand).await,
            expected,
            "{field} {operator} {operand}"
        );
    }
}

#[tokio::test]
async fn both_versions_of_the_list_are_served() {
    let app = TestApp::start().await;
    let server = app.server("node-1").await;
    let mut all = Vec::new();
    for script in ["true", "exit 3", "true"] {
        let id = run(&app, server, script).await;
        app.ended(id).await;
        all.push(id);
    }
    let failed = json!({"where": {"state": {"_eq": "FAILED"}}, "limit": 5});
    let page = app
        .get(&format!("/api/tasks?pagination={}", encode(&failed)))
        .await
        .expect(200);
    assert_eq!(
        (ids(&page["data"]), &page["total"]),
        (vec![all[1]], &json!(1))
    );
    assert_eq!(page["data"][0]["statusCode"], 3);
    let by_code = json!({"where": {"statusCode": {"_eq": "3"}}});
    let page = app
        .get(&format!("/api/tasks?pagination={}", encode(&by_code)))
        .await
        .expect(200);
    assert_eq!(ids(&page["data"]), [all[1]]);

    let list = app
        .get("/api/tasks?limit=1&offset=1&order=ASC")
        .await
        .expect(200);
    assert_eq!(
        (ids(&list["data"]), &list["totalElements"]),
        (vec![all[1]], &json!(3))
    );
    assert_eq!(list["allIds"], json!(all));
    let none = app.get("/api/tasks?before=1000").await.expect(200);
    assert_eq!(none["totalElements"], 0);
    app.get("/api/tasks?order=UP").await.expect_croit_error(400);
    app.get("/api/tasks?limit=-1").await.expect_croit_error(400);
}

#[tokio::test]
async fn no_task_asks_questions_so_an_answer_is_refused() {
    let app = TestApp::start().await;
    let server = app.server("node-1").await;
    let id = run(&app, server, "true").await;
    let path = format!("/api/tasks/{id}/answer");
    let body = json!({"token": "0198c0de-7a1b-7c3d-8e4f-5a6b7c8d9e0f", "response": "yes"});
    let error = app.post(&path, &body).await.expect_croit_error(409);
    assert!(error.contains("question"), "{error}");
    app.post(&path, &json!({"response": "yes"}))
        .await
        .expect_croit_error(400);
}

#[tokio::test]
async fn an_event_becomes_a_task_with_the_hooks_output_as_its_result() {
    let app = TestApp::start().await;
    let script = app
        .script(
            "deny",
            "echo '{\"allow\":false,\"reason\":\"no\"}' > /verdict.json",
        )
        .await;
    app.hook(script, "OnHealthDegrade").await;
    let posted = app
        .fire("OnHealthDegrade", json!({"newStatus": "HEALTH_WARN"}))
        .await;
    let task = app
        .get(&format!("/api/tasks/{}", posted["task"]["number"]))
        .await
        .expect(200);
    assert_eq!(task["name"], "OnHealthDegrade", "{task}");
    assert_eq!(task["result"], json!({"allow": false, "reason": "no"}));
}
