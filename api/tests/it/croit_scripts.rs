//! croit's scripts and hook-scripts.

use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::Role;

use crate::support::{TestApp, encode};

async fn create(app: &TestApp, name: &str, contents: &str) -> i64 {
    let body = json!({"name": name, "contents": contents});
    let answer = app.post("/api/events/scripts", &body).await.expect(200);
    assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
    answer["id"].as_i64().unwrap()
}

#[tokio::test]
async fn a_script_is_stored_read_changed_and_removed() {
    let app = TestApp::start().await;
    let id = create(&app, "nic.sh", "echo one\n").await;
    let list = app.get("/api/events/scripts").await.expect(200);
    assert_eq!(list, json!([{"id": id, "name": "nic.sh"}]));

    let path = format!("/api/events/scripts/{id}");
    let changed = app
        .patch(&path, &json!({"contents": "echo two\n", "name": null}))
        .await;
    changed.expect(204);
    let text = app.get(&path).await;
    assert_eq!(text.text(), "echo two\n");
    assert!(text.header("content-type").starts_with("text/plain"));

    app.delete(&path).await.expect(204);
    app.get(&path).await.expect_croit_error(404);
}

#[tokio::test]
async fn a_script_is_returned_as_a_json_string_on_request() {
    let app = TestApp::start().await;
    let id = create(&app, "nic.sh", "echo \"é\"\n").await;
    let path = format!("/api/events/scripts/{id}");
    let get = async |accept: &'static str| {
        let call = app.call(Method::GET, &path).await;
        call.header("accept", accept).send().await
    };
    assert_eq!(
        get("application/json").await.expect(200),
        json!("echo \"é\"\n")
    );
    assert_eq!(get("*/*").await.text(), "echo \"é\"\n");
    get("text/html").await.expect_croit_error(406);
}

#[tokio::test]
async fn a_name_in_use_is_400_and_its_own_name_is_accepted() {
    let app = TestApp::start().await;
    let id = create(&app, "a", "").await;
    create(&app, "b", "").await;
    let again = app
        .post("/api/events/scripts", &json!({"name": "a", "contents": ""}))
        .await;
    assert!(again.expect_croit_error(400).contains("`a`"));
    let path = format!("/api/events/scripts/{id}");
    app.patch(&path, &json!({"name": "a"})).await.expect(204);
    app.patch(&path, &json!({"name": "b"}))
        .await
        .expect_croit_error(400);
}

#[tokio::test]
async fn name_and_contents_are_required_but_contents_may_be_empty() {
    let app = TestApp::start().await;
    for (body, field) in [
        (json!({"contents": "x"}), "name"),
        (json!({"name": null, "contents": "x"}), "name"),
        (json!({"name": "", "contents": "x"}), "name"),
        (json!({"name": "a\u{7}", "contents": "x"}), "name"),
        (json!({"name": "a"}), "contents"),
        (json!({"name": "a", "contents": 7}), "contents"),
    ] {
        let error = app
            .post("/api/events/scripts", &body)
            .await
            .expect_croit_error(400);
        assert!(error.contains(field), "{body}: {error}");
    }
    create(&app, "empty", "").await;
}

#[tokio::test]
async fn a_script_in_use_is_not_removed_and_the_hooks_are_named() {
    let app = TestApp::start().await;
    let id = create(&app, "a", "true").await;
    app.post(
        "/api/events/hooks",
        &json!({"scriptId": id, "event": "OnAudit", "serverIds": []}),
    )
    .await
    .expect(201);
    let hook = app.get("/api/events/hooks").await.json()[0]["id"]
        .as_i64()
        .unwrap();
    let error = app
        .delete(&format!("/api/events/scripts/{id}"))
        .await
        .expect_croit_error(409);
    assert!(error.contains(&hook.to_string()), "{error}");
}

#[tokio::test]
async fn ninety_six_kibibytes_are_accepted_and_one_byte_more_is_not() {
    let app = TestApp::start().await;
    let most = "#\n".repeat(48 * 1024);
    create(&app, "most", &most).await;
    let body = json!({"name": "more", "contents": format!("{most}#")});
    let error = app
        .post("/api/events/scripts", &body)
        .await
        .expect_croit_error(413);
    assert!(error.contains("98304"), "{error}");
}

#[tokio::test]
async fn another_interpreter_and_binary_data_are_refused_with_the_remedy() {
    let app = TestApp::start().await;
    let post = async |contents: &'static str| {
        let body = json!({"name": "x", "contents": contents});
        app.post("/api/events/scripts", &body)
            .await
            .expect_croit_error(400)
    };
    let error = post("#!/usr/bin/env python3\nprint(1)\n").await;
    assert!(
        error.contains("python3") && error.contains("bash"),
        "{error}"
    );
    let error = post("echo \u{0} x").await;
    assert!(error.contains("NUL"), "{error}");
}

#[tokio::test]
async fn the_list_is_bare_without_pagination_and_a_page_with_it() {
    let app = TestApp::start().await;
    for name in ["c", "a", "b"] {
        create(&app, name, "").await;
    }
    let pagination = json!({"limit": 2, "sortBy": [{"column": "name", "order": "ASC"}], "where": {"name": {"_neq": "a"}}});
    let path = format!("/api/events/scripts?pagination={}", encode(&pagination));
    let page = app.get(&path).await.expect(200);
    assert_eq!(page["total"], 2);
    assert_eq!((&page["after"], &page["limit"]), (&json!(0), &json!(2)));
    let names: Vec<&str> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["b", "c"]);
    let bad = format!(
        "/api/events/scripts?pagination={}",
        encode(&json!({"where": {"name": {"_like": "x"}}}))
    );
    let error = app.get(&bad).await.expect_croit_error(400);
    assert!(error.contains("_like"), "{error}");
    app.get("/api/events/scripts?pagination=%7B")
        .await
        .expect_croit_error(400);
}

#[tokio::test]
async fn a_hook_script_stores_script_and_hooks_all_or_nothing() {
    let app = TestApp::start().await;
    let server = app.server("node-1").await;
    let body = json!({"name": "both", "contents": "true", "hooks": [
        {"event": "PostNetworkConfig", "allServers": false, "serverIds": [server]},
        {"event": "OnAudit"},
    ]});
    let id = app
        .post("/api/events/hook-scripts", &body)
        .await
        .expect(200)["id"]
        .clone();
    let page = app.get("/api/events/hook-scripts").await.expect(200);
    assert_eq!(page["total"], 1);
    assert_eq!(
        page["data"][0],
        json!({"id": id, "name": "both", "hookNames": "PostNetworkConfig, OnAudit", "hooks": [
            {"event": "PostNetworkConfig", "allServers": false, "serverIds": [server]},
            {"event": "OnAudit", "allServers": false, "serverIds": []},
        ]})
    );

    let bad = json!({"name": "half", "contents": "true", "hooks": [{"event": "OnAudit"}, {"event": "onaudit"}]});
    let error = app
        .post("/api/events/hook-scripts", &bad)
        .await
        .expect_croit_error(400);
    assert!(error.contains("did you mean `OnAudit`?"), "{error}");
    assert_eq!(
        app.get("/api/events/scripts")
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_hook_scripts_hooks_are_replaced_kept_or_removed() {
    let app = TestApp::start().await;
    let body = json!({"name": "both", "contents": "true", "hooks": [{"event": "OnAudit"}]});
    let id = app
        .post("/api/events/hook-scripts", &body)
        .await
        .expect(200)["id"]
        .clone();
    let path = format!("/api/events/hook-scripts/{id}");
    let events = async || {
        let hooks = app.get("/api/events/hooks").await.json();
        hooks
            .as_array()
            .unwrap()
            .iter()
            .map(|hook| hook["event"].clone())
            .collect::<Vec<Value>>()
    };
    app.patch(&path, &json!({"name": "renamed"}))
        .await
        .expect(204);
    assert_eq!(events().await, ["OnAudit"]);
    app.patch(
        &path,
        &json!({"hooks": [{"event": "OnHealthRecover"}, {"event": "OnHealthRecover"}]}),
    )
    .await
    .expect(204);
    assert_eq!(events().await, ["OnHealthRecover", "OnHealthRecover"]);
    app.patch(
        &path,
        &json!({"contents": "false", "hooks": [{"event": "onaudit"}]}),
    )
    .await
    .expect_croit_error(400);
    assert_eq!(
        app.get(&format!("/api/events/scripts/{id}")).await.text(),
        "true"
    );
    app.patch(&path, &json!({"hooks": []})).await.expect(204);
    assert_eq!(events().await, [Value::Null; 0]);
    app.patch("/api/events/hook-scripts/99", &json!({"hooks": []}))
        .await
        .expect_croit_error(404);
}

#[tokio::test]
async fn only_admins_manage_scripts() {
    let app = TestApp::start().await;
    for role in [Role::Viewer, Role::Member] {
        let secret = app.token(role).await;
        let call = app.call(Method::GET, "/api/events/scripts").await;
        let error = call.token(&secret).send().await.expect_croit_error(403);
        assert!(error.contains("admin"), "{error}");
    }
    let secret = app.token(Role::Admin).await;
    let call = app.call(Method::GET, "/api/events/scripts").await;
    call.token(&secret).send().await.expect(200);
}
