//! Logins and tokens that are wrong too often: each API refuses them, and no other client waits.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::json;
use tenterhook_api::{FailureLimits, Quota};
use tenterhook_dispatch::Role;

use crate::support::{Answer, TestApp};

const HERE: &str = "192.0.2.1";
const ELSEWHERE: &str = "192.0.2.2";

/// A quota that recovers only after the test has finished.
const LIMITS: FailureLimits = FailureLimits {
    address: Quota {
        burst: 5,
        refill: Duration::from_secs(3_600),
    },
    name: Quota {
        burst: 2,
        refill: Duration::from_secs(3_600),
    },
    keys: 64,
};

async fn start() -> TestApp {
    TestApp::start().await.with_failure_limits(LIMITS)
}

/// Issues a token of a principal `ada`; returns its secret.
async fn ada(app: &TestApp) -> String {
    let body = json!({"name": "ada", "role": "admin"});
    let issued = app.post("/api/v1/tokens", &body).await.expect(201);
    issued["token"].as_str().unwrap().to_owned()
}

async fn native(app: &TestApp, from: &str, secret: &str) -> Answer {
    let call = app.call_as(secret, Method::GET, "/api/v1/limits").await;
    call.from(from).send().await
}

async fn log_in(app: &TestApp, from: &str, name: &str, secret: &str) -> Answer {
    let call = app.call(Method::POST, "/api/auth/login-form").await;
    let form = format!("grant_type=password&username={name}&password={secret}");
    call.anonymous()
        .from(from)
        .body("application/x-www-form-urlencoded", form)
        .send()
        .await
}

async fn log_in_basic(app: &TestApp, from: &str, name: &str, secret: &str) -> Answer {
    let credentials = STANDARD.encode(format!("{name}:{secret}"));
    let call = app.call(Method::POST, "/api/auth/login").await;
    call.from(from)
        .header("authorization", &format!("Basic {credentials}"))
        .body(
            "application/x-www-form-urlencoded",
            "grant_type=client_credentials",
        )
        .send()
        .await
}

#[tokio::test]
async fn too_many_wrong_tokens_are_429_in_the_form_of_each_api() {
    let app = start().await;
    for _ in 0..LIMITS.address.burst {
        native(&app, HERE, "th_wrong")
            .await
            .expect_problem(401, "/problems/unauthenticated");
    }
    let answer = native(&app, HERE, "th_wrong").await;
    answer.expect_problem(429, "/problems/too-many-failures");
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=3_600).contains(&seconds), "{seconds}");

    let call = app.call_as("th_wrong", Method::GET, "/api/tasks").await;
    let answer = call.from(HERE).send().await;
    let error = answer.expect_croit_error(429);
    assert!(error.contains("Retry-After"), "{error}");
    assert!(!answer.header("retry-after").is_empty());
}

#[tokio::test]
async fn a_name_that_fails_too_often_is_429_for_both_kinds_of_login() {
    let app = start().await;
    let secret = ada(&app).await;
    log_in(&app, HERE, "ada", "wrong")
        .await
        .expect_croit_error(401);
    log_in_basic(&app, HERE, "ada", "wrong")
        .await
        .expect_croit_error(401);
    let answer = log_in(&app, HERE, "ada", "wrong").await;
    answer.expect_croit_error(429);
    assert!(!answer.header("retry-after").is_empty());
    log_in_basic(&app, HERE, "ada", "wrong")
        .await
        .expect_croit_error(429);
    // The right one is still admitted: no client can lock its owner out.
    log_in(&app, HERE, "ada", &secret).await.expect(200);
    log_in_basic(&app, HERE, "ada", &secret).await.expect(200);
    // Another name from there is looked at, and so is the same one elsewhere.
    log_in(&app, HERE, "eve", "wrong")
        .await
        .expect_croit_error(401);
    log_in(&app, ELSEWHERE, "ada", &secret).await.expect(200);
}

#[tokio::test]
async fn an_admitted_client_keeps_working_whatever_its_neighbours_do() {
    let app = start().await;
    let secret = ada(&app).await;
    let login = log_in(&app, HERE, "ada", &secret).await.expect(200);
    let session = login["access_token"].as_str().unwrap();
    for n in 0..20 {
        log_in(&app, HERE, &format!("name-{n}"), "wrong").await;
        log_in(&app, HERE, "ada", "wrong").await;
    }
    native(&app, HERE, "th_wrong")
        .await
        .expect_problem(429, "/problems/too-many-failures");
    native(&app, HERE, &secret).await.expect(200);
    native(&app, HERE, session).await.expect(200);
    log_in(&app, HERE, "ada", &secret).await.expect(200);
}

#[tokio::test]
async fn a_valid_token_is_accepted_however_many_wrong_ones_came_from_its_address() {
    let app = start().await;
    for n in 0..20 {
        native(&app, HERE, &format!("th_wrong-{n}")).await;
    }
    // It was never seen before, as after a restart of the server.
    let fresh = app.token(Role::Viewer).await;
    native(&app, HERE, &fresh).await.expect(200);
    native(&app, HERE, "th_wrong")
        .await
        .expect_problem(429, "/problems/too-many-failures");
    native(&app, ELSEWHERE, "th_wrong")
        .await
        .expect_problem(401, "/problems/unauthenticated");
}

#[tokio::test]
async fn a_flood_of_names_locks_out_no_client_elsewhere() {
    let app = start().await;
    let secret = ada(&app).await;
    for n in 0..200 {
        log_in(&app, HERE, &format!("name-{n}"), "wrong").await;
    }
    log_in(&app, ELSEWHERE, "ada", &secret).await.expect(200);
}

#[tokio::test]
async fn calls_without_a_token_are_401_however_many() {
    let app = start().await;
    for _ in 0..20 {
        let call = app.call(Method::GET, "/api/v1/limits").await;
        let answer = call.anonymous().from(HERE).send().await;
        answer.expect_problem(401, "/problems/unauthenticated");
    }
}

#[tokio::test]
async fn openstacks_header_is_ignored_where_its_clients_do_not_send_it() {
    let app = start().await;
    let secret = app.token(Role::Owner).await;
    for path in ["/api/v1/limits", "/api/tasks"] {
        let call = app.call(Method::GET, path).await;
        let answer = call
            .anonymous()
            .header("x-auth-token", &secret)
            .send()
            .await;
        assert_eq!(answer.status, 401, "{path}");
    }
}
