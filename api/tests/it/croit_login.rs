//! croit's login, token info, logout and API tokens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::json;
use tenterhook_dispatch::Role;

use crate::support::{Answer, TestApp};

const FORM: &str = "application/x-www-form-urlencoded";

/// Issues a token named `ada`; returns its secret.
async fn ada(app: &TestApp) -> String {
    let answer = app
        .post("/api/v1/tokens", &json!({"name": "ada", "role": "admin"}))
        .await;
    answer.expect(201)["token"].as_str().unwrap().to_owned()
}

async fn basic(app: &TestApp, name: &str, secret: &str) -> Answer {
    let credentials = STANDARD.encode(format!("{name}:{secret}"));
    let call = app.call(Method::POST, "/api/auth/login").await;
    call.header("authorization", &format!("Basic {credentials}"))
        .body(FORM, "grant_type=client_credentials")
        .send()
        .await
}

#[tokio::test]
async fn a_tokens_name_and_secret_log_in_and_the_login_ends() {
    let app = TestApp::start().await;
    let secret = ada(&app).await;
    let login = basic(&app, "ada", &secret).await.expect(200);
    assert_eq!(
        (&login["token_type"], &login["roles"]),
        (&json!("bearer"), &json!(["admin"]))
    );
    assert_eq!(login["expires_in"], 86_400);
    let access = login["access_token"].as_str().unwrap();
    assert_ne!(access, secret);

    let call = app.call(Method::GET, "/api/auth/token-info").await;
    let info = call.token(access).send().await.expect(200);
    assert_eq!(
        (&info["username"], &info["roles"]),
        (&json!("ada"), &json!(["admin"]))
    );
    assert!(info["expiry"].is_string(), "{info}");

    let call = app.call(Method::POST, "/api/auth/logout").await;
    call.token(access).send().await.expect(201);
    let call = app.call(Method::GET, "/api/auth/token-info").await;
    call.token(access).send().await.expect_croit_error(401);
    basic(&app, "ada", &secret).await.expect(200);
}

#[tokio::test]
async fn a_form_logs_in_too() {
    let app = TestApp::start().await;
    let secret = ada(&app).await;
    let post = async |form: String| {
        let call = app.call(Method::POST, "/api/auth/login-form").await;
        call.anonymous().body(FORM, form).send().await
    };
    post(format!(
        "grant_type=password&username=ada&password={secret}"
    ))
    .await
    .expect(200);
    post("grant_type=password&username=ada&password=x".into())
        .await
        .expect_croit_error(401);
    post("grant_type=password&username=ada".into())
        .await
        .expect_croit_error(400);
    let error = post("grant_type=magic&username=ada&password=x".into())
        .await
        .expect_croit_error(400);
    assert!(error.contains("grant_type"), "{error}");
}

#[tokio::test]
async fn a_wrong_name_or_password_is_401_without_revealing_which() {
    let app = TestApp::start().await;
    let secret = ada(&app).await;
    let wrong_name = basic(&app, "eve", &secret).await.expect_croit_error(401);
    let wrong_secret = basic(&app, "ada", "th_x").await.expect_croit_error(401);
    assert_eq!(wrong_name, wrong_secret);
    let call = app.call(Method::POST, "/api/auth/login").await;
    let answer = call
        .anonymous()
        .body(FORM, "grant_type=client_credentials")
        .send()
        .await;
    answer.expect_croit_error(401);
    assert!(!answer.header("www-authenticate").is_empty());
}

#[tokio::test]
async fn an_api_token_is_issued_listed_and_revoked() {
    let app = TestApp::start().await;
    let body =
        json!({"name": "ci", "roles": ["viewer", "admin"], "expiry": "2999-01-01T00:00:00Z"});
    let answer = app.post("/api/api-tokens", &body).await;
    assert_eq!(answer.status, 200);
    let secret = answer.text();
    let call = app.call(Method::GET, "/api/events/scripts").await;
    call.token(&secret).send().await.expect(200);

    let list = app.get("/api/api-tokens").await.expect(200);
    let row = list
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == "ci")
        .unwrap();
    assert_eq!(row["roles"], json!(["admin"]));
    let path = format!("/api/api-tokens/{}", row["id"].as_str().unwrap());
    assert!(
        app.patch(&path, &json!({"name": "x"}))
            .await
            .expect_croit_error(409)
            .contains("issue")
    );
    app.delete(&path).await.expect(204);
    let call = app.call(Method::GET, "/api/events/scripts").await;
    call.token(&secret).send().await.expect_croit_error(401);
}

#[tokio::test]
async fn an_api_token_needs_known_roles_a_future_expiry_and_an_owner() {
    let app = TestApp::start().await;
    for (body, field) in [
        (json!({"name": "x", "roles": ["securefolder"]}), "roles"),
        (json!({"name": "x", "roles": []}), "roles"),
        (
            json!({"name": "x", "roles": ["admin"], "expiry": "1999-01-01T00:00:00Z"}),
            "expiry",
        ),
        (
            json!({"name": "x", "roles": ["admin"], "expiry": "soon"}),
            "expiry",
        ),
        (json!({"roles": ["admin"]}), "name"),
    ] {
        let error = app
            .post("/api/api-tokens", &body)
            .await
            .expect_croit_error(400);
        assert!(error.contains(field), "{body}: {error}");
    }
    let secret = app.token(Role::Admin).await;
    let call = app.call(Method::POST, "/api/api-tokens").await;
    let call = call
        .token(&secret)
        .json(&json!({"name": "x", "roles": ["viewer"]}));
    call.send().await.expect_croit_error(403);
}
