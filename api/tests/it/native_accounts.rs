//! Accounts: shown, renamed, and Astra's hooks switched on and off.

use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::Role;

use crate::support::TestApp;

#[tokio::test]
async fn an_account_is_shown_by_its_id_and_number() {
    let app = TestApp::start().await;
    let own = app.get("/api/v1/accounts/1").await.expect(200);
    assert_eq!(
        (&own["name"], &own["hooks_enabled"]),
        (&json!("operator"), &json!(true))
    );
    let path = format!("/api/v1/accounts/{}", own["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.expect(200), own);
    for path in ["/api/v1/accounts/2", "/api/v1/accounts/x"] {
        app.get(path)
            .await
            .expect_problem(404, "/problems/not-found");
    }
}

#[tokio::test]
async fn an_owner_renames_its_account_and_an_admin_does_not() {
    let app = TestApp::start().await;
    app.tenant("taken").await;
    let change = json!({"name": "acme"});
    let changed = app.patch("/api/v1/accounts/1", &change).await.expect(200);
    assert_eq!(changed["name"], "acme");
    app.patch("/api/v1/accounts/1", &json!({"name": "taken"}))
        .await
        .expect_problem(409, "/problems/name-taken");
    for body in [json!({"name": ""}), json!({"name": "a\u{1b}b"})] {
        app.patch("/api/v1/accounts/1", &body)
            .await
            .expect_problem(422, "/problems/invalid-request");
    }
    let admin = app.token(Role::Admin).await;
    let call = app
        .call_as(&admin, Method::PATCH, "/api/v1/accounts/1")
        .await;
    let problem = call.json(&json!({"name": "x", "hooks_enabled": false}));
    let problem = problem
        .send()
        .await
        .expect_problem(403, "/problems/forbidden");
    assert_eq!(problem["needs"], "owner");
    let account = app.get("/api/v1/accounts/1").await.expect(200);
    assert_eq!(
        (&account["name"], &account["hooks_enabled"]),
        (&json!("acme"), &json!(true))
    );
}

#[tokio::test]
async fn an_admin_disables_hooks_only_while_there_are_none() {
    let app = TestApp::start().await;
    let admin = app.token(Role::Admin).await;
    let switch = async |on: bool| {
        let call = app
            .call_as(&admin, Method::PATCH, "/api/v1/accounts/1")
            .await;
        call.json(&json!({ "hooks_enabled": on })).send().await
    };
    assert_eq!(switch(false).await.expect(200)["hooks_enabled"], false);
    let source = app.script("a", "true").await;
    assert_eq!(switch(true).await.expect(200)["hooks_enabled"], true);
    let hook = app.hook(source, "snapshot.pre").await;
    let problem = switch(false)
        .await
        .expect_problem(409, "/problems/conflict");
    assert!(
        problem["detail"].as_str().unwrap().contains("hook"),
        "{problem}"
    );
    let path = format!("/api/v1/hooks/{}", hook["id"].as_str().unwrap());
    app.delete(&path).await.expect(204);
    assert_eq!(switch(false).await.expect(200)["hooks_enabled"], false);
}

#[tokio::test]
async fn a_change_that_partly_fails_changes_nothing() {
    let app = TestApp::start().await;
    app.tenant("taken").await;
    app.patch(
        "/api/v1/accounts/1",
        &json!({"name": "taken", "hooks_enabled": false}),
    )
    .await
    .expect_problem(409, "/problems/name-taken");
    let account = app.get("/api/v1/accounts/1").await.expect(200);
    assert_eq!(
        (&account["name"], &account["hooks_enabled"]),
        (&json!("operator"), &json!(true))
    );
}

#[tokio::test]
async fn one_tenant_neither_sees_nor_changes_the_account_of_another() {
    let app = TestApp::start().await;
    let (account, secret) = app.tenant("tenant").await;
    for path in ["/api/v1/accounts/1", "/api/v1/accounts/7"] {
        let call = app.call_as(&secret, Method::GET, path).await;
        let seen = call.send().await;
        let seen = seen.expect_problem(404, "/problems/not-found");
        let call = app.call_as(&secret, Method::PATCH, path).await;
        let changed = call.json(&json!({"hooks_enabled": false})).send().await;
        let changed = changed.expect_problem(404, "/problems/not-found");
        assert_eq!(seen["detail"], changed["detail"]);
    }
    // The operator's owner may; an admin of the operator's account may not.
    let path = format!("/api/v1/accounts/{}", account["number"]);
    let changed = app.patch(&path, &json!({"hooks_enabled": false})).await;
    assert_eq!(changed.expect(200)["hooks_enabled"], false);
    let admin = app.token(Role::Admin).await;
    let call = app.call_as(&admin, Method::PATCH, &path).await;
    call.json(&json!({"hooks_enabled": true}))
        .send()
        .await
        .expect_problem(404, "/problems/not-found");
}

#[tokio::test]
async fn a_bad_account_is_refused_by_field() {
    let app = TestApp::start().await;
    for (body, pointer) in [
        (json!({}), ""),
        (json!({"name": ""}), "/name"),
        (json!({"name": "a\nb"}), "/name"),
        (json!({"name": "x".repeat(256)}), "/name"),
        (json!({"name": 7}), "/name"),
        (json!({"name": "x", "role": "owner"}), "/role"),
    ] {
        let problem = app.post("/api/v1/accounts", &body).await;
        let problem = problem.expect_problem(422, "/problems/invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    app.post("/api/v1/accounts", &json!({"name": "operator"}))
        .await
        .expect_problem(409, "/problems/name-taken");
    for body in [
        json!({"hooks_enabled": "true"}),
        json!({"hooksEnabled": true}),
        Value::from("x"),
    ] {
        app.patch("/api/v1/accounts/1", &body)
            .await
            .expect_problem(422, "/problems/invalid-request");
    }
}
