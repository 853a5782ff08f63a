//! Principals and their tokens: roles, removal, and other accounts.

use http::Method;
use serde_json::{Value, json};

use crate::support::TestApp;

async fn principal(app: &TestApp, name: &str, role: &str) -> Value {
    let body = json!({"name": name, "role": role});
    app.post("/api/v1/principals", &body).await.expect(201)
}

fn path(principal: &Value) -> String {
    format!("/api/v1/principals/{}", principal["id"].as_str().unwrap())
}

async fn token_of(app: &TestApp, principal: &Value, name: &str) -> Value {
    let body = json!({"name": name, "principal": principal["id"]});
    app.post("/api/v1/tokens", &body).await.expect(201)
}

fn secret(issued: &Value) -> &str {
    issued["token"].as_str().unwrap()
}

#[tokio::test]
async fn a_principal_is_created_shown_changed_listed_and_removed() {
    let app = TestApp::start().await;
    let made = app
        .post(
            "/api/v1/principals",
            &json!({"name": "ada", "role": "member"}),
        )
        .await;
    let ada = made.expect(201);
    assert_eq!(made.header("location"), path(&ada));
    assert_eq!(
        (&ada["name"], &ada["role"]),
        (&json!("ada"), &json!("member"))
    );
    assert_eq!(app.get(&path(&ada)).await.expect(200), ada);
    let changed = app
        .patch(&path(&ada), &json!({"name": "lovelace", "role": "admin"}))
        .await
        .expect(200);
    assert_eq!(
        (&changed["name"], &changed["role"]),
        (&json!("lovelace"), &json!("admin"))
    );
    let list = app.get("/api/v1/principals?limit=1000").await.expect(200);
    assert!(list["items"].as_array().unwrap().contains(&changed));
    app.delete(&path(&ada)).await.expect(204);
    for answer in [
        app.get(&path(&ada)).await,
        app.delete(&path(&ada)).await,
        app.patch(&path(&ada), &json!({"role": "viewer"})).await,
    ] {
        answer.expect_problem(404, "/problems/not-found");
    }
}

#[tokio::test]
async fn pages_of_principals_follow_each_other_oldest_first() {
    let app = TestApp::start().await;
    for name in ["p1", "p2", "p3"] {
        principal(&app, name, "viewer").await;
    }
    let mut names = Vec::new();
    let mut path = "/api/v1/principals?limit=2".to_owned();
    loop {
        let page = app.get(&path).await.expect(200);
        let items = page["items"].as_array().unwrap();
        names.extend(
            items
                .iter()
                .map(|one| one["name"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/principals?limit=2&after={next}"),
            None => break,
        }
        // Every call is made by a principal of its own, so the end runs ahead.
        if names.iter().any(|name| name == "p3") {
            break;
        }
    }
    names.retain(|name| name.starts_with('p'));
    assert_eq!(names, ["p1", "p2", "p3"]);
    let gone = "/api/v1/principals?after=0198c0de-7a1b-4c3d-8e4f-5a6b7c8d9e0f";
    app.get(gone)
        .await
        .expect_problem(422, "/problems/invalid-request");
}

#[tokio::test]
async fn a_lower_role_and_a_removal_apply_to_all_tokens_at_once() {
    let app = TestApp::start().await;
    let ada = principal(&app, "ada", "admin").await;
    let issued = [
        token_of(&app, &ada, "laptop").await,
        token_of(&app, &ada, "phone").await,
    ];
    let write = async |token: &Value, name: &str| {
        let path = format!("/api/v1/sources?name={name}");
        let call = app.call_as(secret(token), Method::POST, &path).await;
        call.body("text/x-shellscript", "true").send().await
    };
    write(&issued[0], "a").await.expect(201);
    write(&issued[1], "b").await.expect(201);
    app.patch(&path(&ada), &json!({"role": "viewer"}))
        .await
        .expect(200);
    for token in &issued {
        write(token, "c")
            .await
            .expect_problem(403, "/problems/forbidden");
        let read = app.call_as(secret(token), Method::GET, "/api/v1/sources");
        read.await.send().await.expect(200);
    }
    app.delete(&path(&ada)).await.expect(204);
    for token in &issued {
        let read = app.call_as(secret(token), Method::GET, "/api/v1/sources");
        read.await
            .send()
            .await
            .expect_problem(401, "/problems/unauthenticated");
    }
    let left = app.get("/api/v1/tokens?limit=1000").await.text();
    assert!(!left.contains("laptop"), "{left}");
}

#[tokio::test]
async fn the_last_owner_of_an_account_is_neither_removed_nor_lowered() {
    let app = TestApp::start().await;
    let (account, owner) = app.tenant("tenant").await;
    let list = app.call_as(&owner, Method::GET, "/api/v1/principals");
    let last = list.await.send().await.expect(200)["items"][0].clone();
    assert_eq!(last["role"], "owner");
    let lower = json!({"role": "admin"});
    for problem in [
        app.call_as(&owner, Method::DELETE, &path(&last)).await,
        app.call_as(&owner, Method::PATCH, &path(&last))
            .await
            .json(&lower),
    ] {
        let problem = problem
            .send()
            .await
            .expect_problem(409, "/problems/conflict");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("last owner"), "{detail}");
    }
    // Its name may change, and with another owner it may go.
    let call = app.call_as(&owner, Method::PATCH, &path(&last)).await;
    call.json(&json!({"name": "boss", "role": "owner"}))
        .send()
        .await
        .expect(200);
    let body = json!({"account": account["id"], "name": "second", "role": "owner"});
    app.post("/api/v1/principals", &body).await.expect(201);
    let call = app.call_as(&owner, Method::DELETE, &path(&last)).await;
    call.send().await.expect(204);
}

#[tokio::test]
async fn of_two_owners_that_remove_each_other_at_once_one_remains() {
    let app = TestApp::start().await;
    let (account, owner) = app.tenant("tenant").await;
    let body = json!({"account": account["id"], "name": "second", "role": "owner"});
    app.post("/api/v1/principals", &body).await.expect(201);
    let of = format!("account={}", account["id"].as_str().unwrap());
    let list = app.call_as(&owner, Method::GET, "/api/v1/principals");
    let list = list.await.send().await.expect(200);
    let [first, second] = [0, 1].map(|n| format!("{}?{of}", path(&list["items"][n])));
    let (one, other) = tokio::join!(app.delete(&first), app.delete(&second));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
}

#[tokio::test]
async fn a_token_belongs_to_the_named_principal_and_allows_no_more() {
    let app = TestApp::start().await;
    let ada = principal(&app, "ada", "member").await;
    let by_id = token_of(&app, &ada, "one").await;
    assert_eq!(
        (&by_id["principal"], &by_id["role"], &by_id["used_at"]),
        (&ada["id"], &json!("member"), &Value::Null)
    );
    let body = json!({"name": "two", "principal": "ada", "role": "viewer"});
    let by_name = app.post("/api/v1/tokens", &body).await.expect(201);
    assert_eq!(
        (&by_name["principal"], &by_name["role"]),
        (&ada["id"], &json!("viewer"))
    );
    let body = json!({"name": "three", "principal": "ada", "role": "owner"});
    let problem = app.post("/api/v1/tokens", &body).await;
    let problem = problem.expect_problem(422, "/problems/invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/role");
    for body in [
        json!({"name": "four", "principal": "eve", "role": "viewer"}),
        json!({"name": "four", "principal": "0198c0de-7a1b-4c3d-8e4f-5a6b7c8d9e0f"}),
        json!({"name": "four"}),
        json!({"name": "four", "role": "root"}),
        json!({"name": "four", "role": "viewer", "expires_at": "1999-01-01T00:00:00Z"}),
        json!({"name": "four", "role": "viewer", "expires_at": "soon"}),
    ] {
        app.post("/api/v1/tokens", &body)
            .await
            .expect_problem(422, "/problems/invalid-request");
    }
    app.post("/api/v1/tokens", &json!({"name": "one", "role": "viewer"}))
        .await
        .expect_problem(409, "/problems/name-taken");
    let list = app.get("/api/v1/tokens?principal=ada").await.expect(200);
    let names: Vec<&str> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["one", "two"]);
}

#[tokio::test]
async fn the_last_use_of_a_token_is_shown() {
    let app = TestApp::start().await;
    let ada = principal(&app, "ada", "viewer").await;
    let issued = token_of(&app, &ada, "ci").await;
    let used_at = async || {
        let list = app.get("/api/v1/tokens?principal=ada").await.expect(200);
        list["items"][0]["used_at"].clone()
    };
    assert_eq!(used_at().await, Value::Null);
    let call = app.call_as(secret(&issued), Method::GET, "/api/v1/limits");
    call.await.send().await.expect(200);
    assert!(used_at().await.is_string());
}

#[tokio::test]
async fn only_an_owner_of_the_operators_account_acts_for_others() {
    let app = TestApp::start().await;
    let (account, owner) = app.tenant("tenant").await;
    let (_, stranger) = app.tenant("stranger").await;
    let of = account["number"].to_string();
    let body = json!({"account": of, "name": "ada", "role": "viewer"});
    let made = app.post("/api/v1/principals", &body).await;
    let ada = made.expect(201);
    assert_eq!(ada["account"], account["id"]);
    assert_eq!(app.get(made.header("location")).await.expect(200), ada);
    // Not to be found without the account's name, nor by a stranger.
    app.get(&path(&ada))
        .await
        .expect_problem(404, "/problems/not-found");
    let named = format!("{}?account={of}", path(&ada));
    for (secret, path, status) in [
        (&owner, path(&ada), 200),
        (&owner, named.clone(), 200),
        (&stranger, path(&ada), 404),
        (&stranger, named.clone(), 422),
        (&stranger, format!("/api/v1/principals?account={of}"), 422),
        (&stranger, format!("/api/v1/tokens?account={of}"), 422),
    ] {
        let call = app.call_as(secret, Method::GET, &path).await;
        call.send().await.expect(status);
    }
    for (method, path) in [(Method::DELETE, &named), (Method::PATCH, &named)] {
        let call = app.call_as(&stranger, method, path).await;
        call.json(&json!({"role": "owner"}))
            .send()
            .await
            .expect(422);
    }
    let call = app.call_as(&stranger, Method::POST, "/api/v1/principals");
    call.await.json(&body).send().await.expect(422);
    let body = json!({"account": of, "principal": "ada", "name": "ci"});
    let issued = app.post("/api/v1/tokens", &body).await.expect(201);
    let revoke = format!(
        "/api/v1/tokens/{}?account={of}",
        issued["id"].as_str().unwrap()
    );
    let call = app.call_as(&stranger, Method::DELETE, &revoke).await;
    call.send().await.expect(422);
    app.delete(&revoke).await.expect(204);
    app.delete(&named).await.expect(204);
}

#[tokio::test]
async fn a_bad_principal_is_refused_by_field() {
    let app = TestApp::start().await;
    principal(&app, "ada", "viewer").await;
    for (body, pointer) in [
        (json!({"name": "x"}), ""),
        (json!({"role": "viewer"}), ""),
        (json!({"name": "x", "role": "root"}), "/role"),
        (json!({"name": "", "role": "viewer"}), "/name"),
        (json!({"name": "a\u{7}", "role": "viewer"}), "/name"),
        (json!({"name": "x".repeat(256), "role": "viewer"}), "/name"),
        (json!({"name": "x", "role": "viewer", "id": 1}), "/id"),
        (
            json!({"name": "x", "role": "viewer", "account": "x"}),
            "/account",
        ),
    ] {
        let problem = app.post("/api/v1/principals", &body).await;
        let problem = problem.expect_problem(422, "/problems/invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    app.post(
        "/api/v1/principals",
        &json!({"name": "ada", "role": "viewer"}),
    )
    .await
    .expect_problem(409, "/problems/name-taken");
    app.get("/api/v1/principals/x")
        .await
        .expect_problem(404, "/problems/not-found");
}

#[tokio::test]
async fn croits_login_is_by_the_principals_name_and_its_tokens_are_the_callers() {
    let app = TestApp::start().await;
    let ada = principal(&app, "ada", "owner").await;
    let issued = token_of(&app, &ada, "laptop").await;
    let log_in = async |name: &str, secret: &str| {
        let call = app.call(Method::POST, "/api/auth/login-form").await;
        let form = format!("grant_type=password&username={name}&password={secret}");
        call.anonymous()
            .body("application/x-www-form-urlencoded", form)
            .send()
            .await
    };
    log_in("laptop", secret(&issued))
        .await
        .expect_croit_error(401);
    let login = log_in("ada", secret(&issued)).await.expect(200);
    assert_eq!(
        (&login["userId"], &login["roles"]),
        (&ada["id"], &json!(["admin"]))
    );
    let access = login["access_token"].as_str().unwrap();
    let call = app.call_as(access, Method::GET, "/api/auth/token-info");
    assert_eq!(call.await.send().await.expect(200)["username"], "ada");

    let call = app.call_as(access, Method::POST, "/api/api-tokens").await;
    let body = json!({"name": "ci", "roles": ["viewer"]});
    let made = call.json(&body).send().await;
    assert_eq!(made.status, 200);
    log_in("ada", &made.text()).await.expect(200);
    let list = app.get("/api/v1/tokens?principal=ada").await.expect(200);
    let ci = list["items"].as_array().unwrap();
    let ci = ci.iter().find(|token| token["name"] == "ci").unwrap();
    assert_eq!(
        (&ci["principal"], &ci["role"]),
        (&ada["id"], &json!("viewer"))
    );
}
