//! Long replies end with the authority under which they were asked for.

use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::astra_support::{Astra, SOURCES};
use crate::support::{Answer, LONG, TestApp, event_of};

/// A principal with a token of its own; returns both as the native API shows them.
async fn principal(app: &TestApp, name: &str, role: &str) -> (Value, Value) {
    let new = json!({"name": name, "role": role});
    let principal = app.post("/api/v1/principals", &new).await.expect(201);
    let new = json!({"name": name, "principal": name});
    let token = app.post("/api/v1/tokens", &new).await.expect(201);
    (principal, token)
}

fn secret(token: &Value) -> &str {
    token["token"].as_str().unwrap()
}

fn path(collection: &str, one: &Value) -> String {
    format!("/api/v1/{collection}/{}", one["id"].as_str().unwrap())
}

/// Binds a hook that prints something and goes on for some seconds.
async fn bind(app: &TestApp) {
    let source = app.script("slow", "echo begun; sleep 1h").await;
    let limits = json!({"wall_ms": 4_000});
    let body = json!({"source": source, "event": "custom.a", "limits": limits});
    app.post("/api/v1/hooks", &body).await.expect(201);
}

/// Starts such a hook; returns the path of its output.
async fn running(app: &TestApp) -> String {
    bind(app).await;
    let event = event_of("custom.a", json!({}));
    let posted = app.post("/api/v1/events", &event).await.expect(202);
    let path = format!("/api/v1/executions?task={}", posted["task"]["number"]);
    let list = app.get(&path).await.expect(200);
    let id = list["items"][0]["id"].as_str().unwrap();
    format!("/api/v1/executions/{id}/output")
}

/// Begins to read a reply; returns its first piece and the rest.
async fn open(app: &TestApp, secret: &str, path: &str) -> (String, Body) {
    let request = Request::get(path).header("authorization", format!("Bearer {secret}"));
    let request = request.body(Body::empty()).unwrap();
    let reply = tower::ServiceExt::oneshot(app.router.clone(), request);
    let reply = reply.await.unwrap();
    assert_eq!(reply.status(), 200);
    let mut body = reply.into_body();
    loop {
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let first = String::from_utf8(first.to_vec()).unwrap();
        // It says whose output follows.
        if !first.starts_with("event: attempt") {
            return (first, body);
        }
    }
}

async fn rest(body: Body) -> String {
    let rest = body.collect().await.unwrap().to_bytes();
    String::from_utf8(rest.to_vec()).unwrap()
}

#[tokio::test]
async fn followed_output_ends_when_its_readers_token_is_revoked() {
    let app = TestApp::start().await;
    let (_, token) = principal(&app, "ada", "viewer").await;
    let (_, other) = principal(&app, "bob", "viewer").await;
    let output = running(&app).await;
    let (first, body) = open(&app, secret(&token), &output).await;
    assert!(first.contains("begun"), "{first}");
    let (_, others) = open(&app, secret(&other), &output).await;
    app.delete(&path("tokens", &token)).await.expect(204);
    let events = rest(body).await;
    assert!(!events.contains("event: end"), "{events}");
    let events = rest(others).await;
    assert!(
        events.contains("event: end"),
        "it was bound to another token: {events}"
    );
}

#[tokio::test]
async fn followed_output_ends_when_its_reader_is_removed() {
    let app = TestApp::start().await;
    let (ada, token) = principal(&app, "ada", "member").await;
    let output = running(&app).await;
    let (_, body) = open(&app, secret(&token), &output).await;
    // One that may still read goes on reading.
    let lower = json!({"role": "viewer"});
    app.patch(&path("principals", &ada), &lower)
        .await
        .expect(200);
    app.delete(&path("principals", &ada)).await.expect(204);
    let events = rest(body).await;
    assert!(!events.contains("event: end"), "{events}");
}

#[tokio::test]
async fn output_followed_by_a_login_ends_with_the_token_that_logged_in() {
    let app = TestApp::start().await;
    let (_, token) = principal(&app, "ada", "viewer").await;
    let form = format!(
        "grant_type=password&username=ada&password={}",
        secret(&token)
    );
    let login = app.call(Method::POST, "/api/auth/login-form").await;
    let login = login
        .anonymous()
        .body("application/x-www-form-urlencoded", form)
        .send()
        .await
        .expect(200);
    let session = login["access_token"].as_str().unwrap();
    let output = running(&app).await;
    let (_, body) = open(&app, session, &output).await;
    app.delete(&path("tokens", &token)).await.expect(204);
    let events = rest(body).await;
    assert!(!events.contains("event: end"), "{events}");
}

#[tokio::test]
async fn followed_output_ends_when_its_readers_token_expires() {
    let app = TestApp::start().await;
    let output = running(&app).await;
    let end = OffsetDateTime::now_utc() + time::Duration::milliseconds(1_000);
    let end = end.format(&Rfc3339).unwrap();
    let new = json!({"name": "brief", "role": "viewer", "expires_at": end});
    let token = app.post("/api/v1/tokens", &new).await.expect(201);
    let (_, body) = open(&app, secret(&token), &output).await;
    let events = rest(body).await;
    assert!(!events.contains("event: end"), "{events}");
}

/// Posts an event and waits for its task, while `meanwhile` happens once it runs.
async fn wait_while(app: &TestApp, secret: &str, meanwhile: impl AsyncFnOnce()) -> Answer {
    bind(app).await;
    let path = format!("/api/v1/events?wait={LONG}");
    let call = app.call_as(secret, Method::POST, &path).await;
    let event = event_of("custom.a", json!({}));
    let (answer, ()) = tokio::join!(call.json(&event).send(), async {
        loop {
            let running = app.get("/api/v1/executions?state=RUNNING").await;
            if running.expect(200)["items"] != json!([]) {
                break;
            }
            tokio::task::yield_now().await;
        }
        meanwhile().await;
    });
    answer
}

#[tokio::test]
async fn a_wait_ends_when_the_token_that_asked_is_revoked() {
    let app = TestApp::start().await;
    let (_, token) = principal(&app, "ada", "member").await;
    let revoke = path("tokens", &token);
    let answer = wait_while(&app, secret(&token), async || {
        app.delete(&revoke).await.expect(204);
    });
    answer
        .await
        .expect_problem(401, "/problems/unauthenticated");
    let tasks = app.get("/api/v1/tasks").await.expect(200);
    assert_eq!(tasks["items"].as_array().unwrap().len(), 1, "it goes on");
}

#[tokio::test]
async fn a_wait_ends_when_the_role_is_no_longer_enough() {
    let app = TestApp::start().await;
    let (ada, token) = principal(&app, "ada", "member").await;
    let lower = path("principals", &ada);
    let answer = wait_while(&app, secret(&token), async || {
        let role = json!({"role": "viewer"});
        app.patch(&lower, &role).await.expect(200);
    });
    let problem = answer.await.expect_problem(403, "/problems/forbidden");
    assert_eq!(problem["needs"], "member");
}

#[tokio::test]
async fn a_streamed_list_breaks_off_when_its_readers_token_is_revoked() {
    let astra = Astra::start().await;
    for name in ["a", "b", "c", "d", "e", "f"] {
        astra.script(name, &"#\n".repeat(47 << 10)).await;
    }
    let (_, token) = principal(&astra.app, "ada", "admin").await;
    let list = astra.path(SOURCES);
    let (first, body) = open(&astra.app, secret(&token), &list).await;
    assert!(first.starts_with('{'));
    astra.app.delete(&path("tokens", &token)).await.expect(204);
    assert!(body.collect().await.is_err());
    let (_, body) = open(&astra.app, &astra.owner, &list).await;
    body.collect().await.unwrap();
}
