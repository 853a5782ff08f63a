//! Uploads that no request waits for: answered with 202, and polled until they finish.

use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::Role;
use tenterhook_tests_artifacts::FRIENDLY_HELLO;

use crate::support::{Answer, TestApp, uuid};

const WASM: &str = "application/wasm";

async fn send(app: &TestApp, method: Method, path: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    app.call(method, path).await.body(WASM, bytes).send().await
}

/// Uploads without waiting; returns the path of the upload.
async fn hurried(app: &TestApp, name: &str, bytes: impl Into<Vec<u8>>) -> String {
    let path = format!("/api/v1/sources?name={name}&wait=0");
    let answer = send(app, Method::POST, &path, bytes).await;
    place(&answer)
}

/// Where to ask what has become of an upload.
fn place(answer: &Answer) -> String {
    let upload = answer.expect(202);
    assert_eq!(upload["state"], "compiling", "{upload}");
    assert_eq!(
        (&upload["source"], &upload["problem"]),
        (&Value::Null, &Value::Null)
    );
    let id = upload["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), format!("/api/v1/uploads/{id}"));
    assert_eq!(answer.header("retry-after"), "1");
    answer.header("location").to_owned()
}

async fn over(app: &TestApp, place: &str) -> Value {
    app.get(&format!("{place}?wait=120")).await.expect(200)
}

fn hello() -> Vec<u8> {
    std::fs::read(FRIENDLY_HELLO).unwrap()
}

#[tokio::test]
async fn an_upload_becomes_a_source_even_if_no_request_waits() {
    let app = TestApp::start().await;
    let place = hurried(&app, "hello", hello()).await;
    let upload = over(&app, &place).await;
    assert_eq!(upload["state"], "ready", "{upload}");
    assert_eq!(upload["size_bytes"], hello().len());
    let source = &upload["source"];
    assert_eq!(source["digest"], upload["digest"]);
    let path = format!("/api/v1/sources/{}", source["number"]);
    assert_eq!(app.get(&path).await.expect(200), *source);
    app.hook(source["number"].as_i64().unwrap(), "custom.x")
        .await;
    // Asked for again it says the same, whether or not one waits.
    assert_eq!(app.get(&place).await.expect(200), upload);
}

#[tokio::test]
async fn a_later_refusal_equals_that_of_a_waiting_request() {
    let app = TestApp::start().await;
    let broken = b"\0asm\x01\0\0\0\xff".to_vec();
    let place = hurried(&app, "broken", broken.clone()).await;
    let upload = over(&app, &place).await;
    assert_eq!(upload["state"], "refused", "{upload}");
    assert_eq!(upload["source"], Value::Null);
    let path = "/api/v1/sources?name=broken&wait=120";
    let mut problem = send(&app, Method::POST, path, broken)
        .await
        .expect_problem(422, "/problems/invalid-program");
    problem.as_object_mut().unwrap().remove("instance");
    assert_eq!(upload["problem"], problem);
    assert_eq!(problem["digest"], upload["digest"]);
    let list = app.get("/api/v1/sources?name=broken").await.expect(200);
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn a_source_is_replaced_once_its_new_program_is_compiled() {
    let app = TestApp::start().await;
    let number = app.script("a", "true").await;
    let path = format!("/api/v1/sources/{number}");
    let hurried = format!("{path}?wait=0&description=new");
    let place = place(&send(&app, Method::PUT, &hurried, hello()).await);
    let upload = over(&app, &place).await;
    assert_eq!(upload["state"], "ready", "{upload}");
    let source = app.get(&path).await.expect(200);
    assert_eq!(upload["source"], source);
    assert_eq!(
        (&source["kind"], &source["revision"], &source["description"]),
        (&json!("module"), &json!(2), &json!("new"))
    );
    // One that is refused changes nothing.
    let place = self::place(&send(&app, Method::PUT, &hurried, b"\0asmjunk".to_vec()).await);
    assert_eq!(over(&app, &place).await["state"], "refused");
    assert_eq!(app.get(&path).await.expect(200), source);
}

#[tokio::test]
async fn an_upload_is_shown_only_to_members_of_its_account() {
    let app = TestApp::start().await;
    let place = hurried(&app, "hello", hello()).await;
    let (_, stranger) = app.tenant("other").await;
    let call = app.call_as(&stranger, Method::GET, &place).await;
    call.send().await.expect_problem(404, "/problems/not-found");
    let viewer = app.token(Role::Viewer).await;
    let call = app.call_as(&viewer, Method::GET, &place).await;
    call.send().await.expect_problem(403, "/problems/forbidden");
    for unknown in [uuid(), "1".into()] {
        let path = format!("/api/v1/uploads/{unknown}");
        let problem = app.get(&path).await;
        let problem = problem.expect_problem(404, "/problems/not-found");
        assert_eq!(problem["noun"], "upload");
    }
    over(&app, &place).await;
}

#[tokio::test]
async fn an_invalid_or_too_long_wait_is_refused_before_the_program_is_read() {
    let app = TestApp::start().await;
    let number = app.script("a", "true").await;
    for wait in ["121", "-1", "NaN"] {
        for (method, path) in [
            (Method::POST, format!("/api/v1/sources?name=b&wait={wait}")),
            (Method::PUT, format!("/api/v1/sources/{number}?wait={wait}")),
        ] {
            let answer = send(&app, method, &path, hello()).await;
            let problem = answer.expect_problem(422, "/problems/invalid-request");
            assert_eq!(problem["errors"][0]["pointer"], "?wait", "{problem}");
        }
    }
}
