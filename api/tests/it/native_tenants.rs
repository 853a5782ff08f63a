//! Accounts and tokens: what one tenant can see of another, which is nothing.

use http::Method;
use serde_json::json;
use tenterhook_dispatch::Role;

use crate::support::TestApp;

#[tokio::test]
async fn another_account_sees_nothing_of_the_first() {
    let app = TestApp::start().await;
    let number = app.script("secret", "true").await;
    let hook = app.hook(number, "custom.a").await;
    let posted = app.fire("custom.a", json!({})).await;
    let account = app
        .post("/api/v1/accounts", &json!({"name": "other"}))
        .await
        .expect(201);
    let body = json!({"account": account["id"], "name": "owner", "role": "owner"});
    let issued = app.post("/api/v1/tokens", &body).await.expect(201);
    let secret = issued["token"].as_str().unwrap();
    for path in [
        format!("sources/{number}"),
        format!("hooks/{}", hook["id"].as_str().unwrap()),
        format!("tasks/{}", posted["task"]["id"].as_str().unwrap()),
        format!(
            "executions/{}",
            posted["task"]["executions"][0]["id"].as_str().unwrap()
        ),
    ] {
        let call = app.call(Method::GET, &format!("/api/v1/{path}")).await;
        call.token(secret)
            .send()
            .await
            .expect_problem(404, "/problems/not-found");
    }
    let call = app.call(Method::GET, "/api/v1/accounts").await;
    let accounts = call.token(secret).send().await.expect(200);
    assert_eq!(accounts["items"], json!([account]));
    let call = app.call(Method::POST, "/api/v1/accounts").await;
    let answer = call
        .token(secret)
        .json(&json!({"name": "third"}))
        .send()
        .await;
    answer.expect_problem(403, "/problems/forbidden");
    let call = app.call(Method::POST, "/api/v1/tokens").await;
    let body = json!({"account": "1", "name": "x", "role": "owner"});
    call.token(secret)
        .json(&body)
        .send()
        .await
        .expect_problem(422, "/problems/invalid-request");
}

#[tokio::test]
async fn a_token_is_shown_once_and_works_until_it_is_revoked() {
    let app = TestApp::start().await;
    let issued = app
        .post("/api/v1/tokens", &json!({"name": "ci", "role": "viewer"}))
        .await
        .expect(201);
    let secret = issued["token"].as_str().unwrap();
    let list = app.get("/api/v1/tokens").await;
    assert!(!list.text().contains(secret));
    let call = app.call(Method::GET, "/api/v1/limits").await;
    call.token(secret).send().await.expect(200);
    let path = format!("/api/v1/tokens/{}", issued["id"].as_str().unwrap());
    app.delete(&path).await.expect(204);
    let call = app.call(Method::GET, "/api/v1/limits").await;
    let answer = call.token(secret).send().await;
    answer.expect_problem(401, "/problems/unauthenticated");
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
    app.delete(&path)
        .await
        .expect_problem(404, "/problems/not-found");
}

#[tokio::test]
async fn each_role_may_do_exactly_what_the_document_lists() {
    let app = TestApp::start().await;
    let document = app.get("/openapi.json").await.expect(200);
    let roles = [Role::Viewer, Role::Member, Role::Admin, Role::Owner];
    let mut secrets = Vec::new();
    for role in roles {
        secrets.push((role, app.token(role).await));
    }
    let account = app.get("/api/v1/accounts/1").await.expect(200);
    let mut checked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(needed) = operation["x-role"].as_str() else {
                continue;
            };
            let needed: Role = needed.parse().unwrap();
            let path = path
                .replace("{account_id}", account["id"].as_str().unwrap())
                .replace("{app_id}", "0198c0de-7a1b-4c3d-8e4f-5a6b7c8d9e0f")
                .replace("{id}", "0198c0de-7a1b-4c3d-8e4f-5a6b7c8d9e0f");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let anonymous = app
                .call(method.clone(), &path)
                .await
                .anonymous()
                .send()
                .await;
            assert_eq!(anonymous.status, 401, "{method} {path}");
            for (role, secret) in &secrets {
                let answer = app
                    .call(method.clone(), &path)
                    .await
                    .token(secret)
                    .send()
                    .await;
                assert_eq!(
                    answer.status == 403,
                    *role < needed,
                    "{method} {path} as {role}: {}",
                    answer.status
                );
                assert_ne!(answer.status, 500, "{method} {path}");
                checked += 1;
            }
        }
    }
    assert!(checked > 150, "{checked}");
}
