//! croit's `execute`, and the task that it returns.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn a_stored_script_runs_for_each_server_and_marks_its_lines() {
    let app = TestApp::start().await;
    let script = app
        .script(
            "greet",
            "echo \"hello $1\"; echo \"on $HOOK_SERVER_NAME\" >&2",
        )
        .await;
    let servers = [app.server("node-1").await, app.server("node-2").await];
    let body = json!({"scriptId": script, "args": ["world"], "servers": servers});
    let task = app
        .post("/api/events/scripts/execute", &body)
        .await
        .expect(200);
    let id = task["id"].as_i64().unwrap();
    assert!(task["startedAt"].is_i64(), "{task}");
    app.ended(id).await;
    let task = app.get(&format!("/api/tasks/{id}")).await.expect(200);
    assert_eq!(task["state"], "FINISHED", "{task}");
    assert_eq!(
        (&task["done"], &task["statusCode"]),
        (&json!(true), &json!(0))
    );
    assert_eq!(task["progress"], json!({"total": 2, "complete": 2}));
    assert_eq!(
        task["output"],
        "node-1: hello world\nnode-1: on node-1\nnode-2: hello world\nnode-2: on node-2\n"
    );
    assert_eq!(
        (&task["cancelled"], &task["question"]),
        (&json!(false), &json!(null))
    );
}

#[tokio::test]
async fn an_inline_script_runs_and_its_exit_status_becomes_the_status_code() {
    let app = TestApp::start().await;
    let servers = [app.server("node-1").await];
    let body = json!({"script": "echo oops; exit 7", "args": [], "servers": servers});
    let id = app
        .post("/api/events/scripts/execute", &body)
        .await
        .expect(200)["id"]
        .as_i64()
        .unwrap();
    app.ended(id).await;
    let task = app.get(&format!("/api/tasks/{id}")).await.expect(200);
    assert_eq!(
        (&task["state"], &task["statusCode"]),
        (&json!("FAILED"), &json!(7)),
        "{task}"
    );
    assert_eq!(
        task["output"],
        "node-1: oops\nnode-1: [exited with status 7]\n"
    );
}

#[tokio::test]
async fn the_script_to_run_must_be_named_once_and_exist() {
    let app = TestApp::start().await;
    let script = app.script("a", "true").await;
    let server = app.server("node-1").await;
    for (body, status, field) in [
        (json!({"args": [], "servers": [server]}), 400, "scriptId"),
        (
            json!({"scriptId": script, "script": "true", "args": [], "servers": [server]}),
            400,
            "scriptId",
        ),
        (
            json!({"scriptId": script, "args": [], "servers": []}),
            400,
            "servers",
        ),
        (json!({"scriptId": script, "args": []}), 400, "servers"),
        (
            json!({"scriptId": script, "args": [], "servers": [99]}),
            400,
            "99",
        ),
        (
            json!({"scriptId": 99, "args": [], "servers": [server]}),
            404,
            "99",
        ),
        (
            json!({"script": "#!/usr/bin/perl\n", "args": [], "servers": [server]}),
            400,
            "perl",
        ),
        (
            json!({"script": "true", "args": [1], "servers": [server]}),
            400,
            "args",
        ),
    ] {
        let answer = app.post("/api/events/scripts/execute", &body).await;
        let error = answer.expect_croit_error(status);
        assert!(error.contains(field), "{body}: {error}");
    }
}
