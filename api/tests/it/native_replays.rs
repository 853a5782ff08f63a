//! Replays of attempts, over HTTP.

use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::Role;

use crate::support::TestApp;

/// An application with an execution that has ended; returns the path of it.
async fn executed(text: &str) -> (TestApp, String) {
    let app = TestApp::start().await;
    let source = app.script("one", text).await;
    let hook = json!({"source": source, "event": "custom.a", "limits": {"output_bytes": 1 << 20}});
    app.post("/api/v1/hooks", &hook).await.expect(201);
    let task = app.fire("custom.a", json!({"n": 1})).await;
    let id = task["task"]["executions"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/executions/{id}");
    (app, path)
}

async fn replay(app: &TestApp, path: &str) -> Value {
    let call = app.call(Method::POST, &format!("{path}/replay")).await;
    call.send().await.expect(200)
}

#[tokio::test]
async fn an_attempt_is_replayed_to_the_byte() {
    let (app, path) = executed("date +%s%N; echo $RANDOM; cat >&2").await;
    let shown = app.get(&path).await.expect(200);
    let replay = replay(&app, &path).await;
    assert_eq!(
        (&replay["same"], &replay["differences"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(replay["digest"], shown["digest"]);
    for member in ["stdout", "stderr", "outcome", "attempt"] {
        assert_eq!(replay["replayed"][member], shown[member], "{member}");
    }
    assert_eq!(replay["replayed"]["usage"]["fuel"], shown["usage"]["fuel"]);
    assert_eq!(replay["recorded"]["stdout"], Value::Null);
    assert_eq!(app.get(&path).await.expect(200), shown);
}

#[tokio::test]
async fn another_program_is_sent_as_the_body_and_differs_by_place() {
    let (app, path) = executed("echo one; echo two").await;
    let call = app
        .call(Method::POST, &format!("{path}/replay?attempt=1"))
        .await;
    let call = call.body("application/octet-stream", "echo one; echo 2; exit 3");
    let replay = call.send().await.expect(200);
    assert_eq!(replay["same"], false);
    let differences = replay["differences"].as_array().unwrap();
    assert_eq!(
        differences[..2],
        [
            json!({"aspect": "outcome", "recorded": "exited with status 0", "replayed": "exited with status 3"}),
            json!({"aspect": "stdout", "byte": 4, "line": 2, "recorded": "`two`", "replayed": "`2`"}),
        ],
        "{replay}"
    );
}

#[tokio::test]
async fn an_empty_program_is_a_program_and_a_body_without_a_type_is_none() {
    let (app, path) = executed("echo one").await;
    let path = format!("{path}/replay");
    let empty = app.call(Method::POST, &path).await;
    let empty = empty.body("application/octet-stream", "").send().await;
    assert_eq!(empty.expect(200)["same"], false);
    let untyped = app.call(Method::POST, &path).await;
    let untyped = untyped
        .body("text/plain", "echo two")
        .without("content-type");
    untyped.send().await.expect(413);
}

#[tokio::test]
async fn what_cannot_be_replayed_is_refused_with_the_reason() {
    let (app, path) = executed("echo one").await;
    let call = async |query: &str, body: &str| {
        let call = app
            .call(Method::POST, &format!("{path}/replay{query}"))
            .await;
        match body {
            "" => call.send().await,
            body => call.body("application/octet-stream", body).send().await,
        }
    };
    call("?attempt=2", "")
        .await
        .expect_problem(404, "/problems/not-found");
    call("?attempt=x", "")
        .await
        .expect_problem(422, "/problems/invalid-request");
    call("?x=1", "")
        .await
        .expect_problem(422, "/problems/invalid-request");
    call("", "\0asm????")
        .await
        .expect_problem(422, "/problems/invalid-program");
    let text = app.call(Method::POST, &format!("{path}/replay")).await;
    let text = text.body("text/html", "echo").send().await;
    assert_eq!(text.status, 415);
}

#[tokio::test]
async fn a_member_replays_and_an_admin_replays_with_another_program() {
    let (app, path) = executed("echo one").await;
    for (role, own, other) in [
        (Role::Viewer, 403, 403),
        (Role::Member, 200, 403),
        (Role::Admin, 200, 200),
    ] {
        let token = app.token(role).await;
        let path = format!("{path}/replay");
        let call = app.call_as(&token, Method::POST, &path).await;
        call.send().await.expect(own);
        let call = app.call_as(&token, Method::POST, &path).await;
        let call = call.body("application/octet-stream", "env");
        call.send().await.expect(other);
    }
}

#[tokio::test]
async fn a_long_output_is_compared_and_left_out() {
    let (app, path) =
        executed("i=0; while [ $i -lt 600 ]; do printf '%01024d' $i; i=$((i+1)); done").await;
    let replay = replay(&app, &path).await;
    assert_eq!(replay["same"], true, "{}", replay["differences"]);
    assert_eq!(replay["replayed"]["stdout"], Value::Null);
    let note = replay["notes"][0].as_str().unwrap();
    assert!(note.contains("614400 bytes"), "{note}");
}

#[tokio::test]
async fn a_case_is_for_admins_and_holds_no_private_program() {
    let (app, path) = executed("echo one").await;
    let case = format!("{path}/case");
    let shown = app.get(&case).await;
    assert_eq!(shown.status, 200);
    assert_eq!(
        shown.header("content-type"),
        "application/vnd.tenterhook.case"
    );
    assert!(shown.body.starts_with(b"tenterhook-case 1 "));
    assert!(shown.body.ends_with(b"one\n"));
    let member = app.token(Role::Member).await;
    let call = app.call_as(&member, Method::GET, &case).await;
    call.send().await.expect(403);

    let private = app
        .call(
            Method::POST,
            "/api/v1/sources?name=own&private=true&wait=60",
        )
        .await;
    let private = private.body("text/x-shellscript", "echo private");
    let source = private.send().await.expect(201);
    app.hook(source["number"].as_i64().unwrap(), "custom.b")
        .await;
    let task = app.fire("custom.b", json!({})).await;
    let id = task["task"]["executions"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/executions/{id}");
    let withheld = app.get(&format!("{path}/case")).await.expect(403);
    assert!(
        withheld["detail"].as_str().unwrap().contains("private"),
        "{withheld}"
    );
    // It may be run again all the same.
    assert_eq!(replay(&app, &path).await["same"], true);
    // Nor when nobody says any more that it is private.
    let other = app
        .call(
            Method::PUT,
            &format!("/api/v1/sources/{}?wait=60", source["number"]),
        )
        .await;
    let other = other.body("text/x-shellscript", "echo other");
    other.send().await.expect(200);
    app.get(&format!("{path}/case")).await.expect(409);
}
