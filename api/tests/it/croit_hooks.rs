//! croit's hooks, hook points and servers.

use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::Role;

use crate::support::TestApp;

async fn hooks(app: &TestApp) -> Vec<Value> {
    app.get("/api/events/hooks")
        .await
        .expect(200)
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_hook_shows_the_names_of_script_and_servers() {
    let app = TestApp::start().await;
    let script = app.script("nic", "true").await;
    let (one, two) = (app.server("node-1").await, app.server("node-2").await);
    let body = json!({"scriptId": script, "event": "PreNetworkConfig", "allServers": false, "serverIds": [two]});
    let answer = app.post("/api/events/hooks", &body).await;
    answer.expect(201);
    assert!(answer.body.is_empty());
    assert_eq!(
        hooks(&app).await,
        [
            json!({"id": 1, "scriptId": script, "scriptName": "nic", "event": "PreNetworkConfig",
            "allServers": false, "serverIds": [two], "serverNames": ["node-2"]})
        ]
    );
    app.patch(
        "/api/events/hooks/1",
        &json!({"allServers": true, "serverIds": [one]}),
    )
    .await
    .expect(204);
    let hook = &hooks(&app).await[0];
    assert_eq!(
        (&hook["allServers"], &hook["serverIds"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(hook["serverNames"], json!(["node-1", "node-2"]));
    app.delete("/api/events/hooks/1").await.expect(204);
    assert!(hooks(&app).await.is_empty());
}

#[tokio::test]
async fn servers_are_ignored_where_there_is_no_choice() {
    let app = TestApp::start().await;
    let script = app.script("a", "true").await;
    let server = app.server("node-1").await;
    let body =
        json!({"scriptId": script, "event": "OnAudit", "allServers": true, "serverIds": [server]});
    app.post("/api/events/hooks", &body).await.expect(201);
    let hook = &hooks(&app).await[0];
    assert_eq!(
        (&hook["allServers"], &hook["serverIds"]),
        (&json!(false), &json!([]))
    );
}

#[tokio::test]
async fn references_of_a_hook_must_exist() {
    let app = TestApp::start().await;
    let script = app.script("a", "true").await;
    for (body, field) in [
        (
            json!({"scriptId": 99, "event": "OnAudit", "serverIds": []}),
            "scriptId",
        ),
        (
            json!({"scriptId": script, "event": "onaudit", "serverIds": []}),
            "event",
        ),
        (
            json!({"scriptId": script, "event": "PreDaemonStart", "serverIds": [99]}),
            "serverIds",
        ),
        (json!({"event": "OnAudit", "serverIds": []}), "scriptId"),
        (json!({"scriptId": "1", "event": "OnAudit"}), "scriptId"),
        (
            json!({"scriptId": script, "event": "OnAudit", "serverIds": ["x"]}),
            "serverIds",
        ),
    ] {
        let error = app
            .post("/api/events/hooks", &body)
            .await
            .expect_croit_error(400);
        assert!(error.contains(field), "{body}: {error}");
    }
    app.patch("/api/events/hooks/99", &json!({}))
        .await
        .expect_croit_error(404);
    app.delete("/api/events/hooks/99")
        .await
        .expect_croit_error(404);
    app.delete("/api/events/hooks/x")
        .await
        .expect_croit_error(404);
}

#[tokio::test]
async fn there_are_twenty_hook_points_with_documented_parameters() {
    let app = TestApp::start().await;
    let points = app.get("/api/events/hooks/hook-points").await.expect(200);
    let points = points.as_array().unwrap();
    assert_eq!(points.len(), 20);
    for point in points {
        assert!(!point["description"].as_str().unwrap().is_empty());
        assert!(point["canChooseServer"].is_boolean());
        for parameter in point["parameters"].as_array().unwrap() {
            assert!(
                parameter["name"].is_string() && parameter["description"].is_string(),
                "{point}"
            );
        }
    }
}

#[tokio::test]
async fn viewers_read_hooks_and_do_not_change_them() {
    let app = TestApp::start().await;
    let secret = app.token(Role::Viewer).await;
    let call = app.call(Method::GET, "/api/events/hooks").await;
    call.token(&secret).send().await.expect(200);
    let call = app.call(Method::POST, "/api/events/hooks").await;
    call.token(&secret)
        .json(&json!({}))
        .send()
        .await
        .expect_croit_error(403);
}

#[tokio::test]
async fn servers_are_created_changed_and_removed() {
    let app = TestApp::start().await;
    let body = json!({"name": "node-1", "host": "rack-7", "labels": {"zone": "a"}});
    let server = app.post("/api/servers", &body).await.expect(201);
    let path = format!("/api/servers/{}", server["id"]);
    assert_eq!(app.get(&path).await.expect(200), server);
    assert_eq!(app.get("/api/servers").await.expect(200), json!([server]));
    let changed = app.patch(&path, &json!({"host": null})).await.expect(200);
    assert_eq!(
        (&changed["host"], &changed["labels"]),
        (&Value::Null, &json!({"zone": "a"}))
    );
    let taken = app.post("/api/servers", &json!({"name": "node-1"})).await;
    assert!(taken.expect_croit_error(400).contains("node-1"));
    let script = app.script("a", "true").await;
    let hook = json!({"scriptId": script, "event": "PreDaemonStart", "serverIds": [server["id"]]});
    app.post("/api/events/hooks", &hook).await.expect(201);
    app.delete(&path).await.expect_croit_error(409);
    app.delete("/api/events/hooks/1").await.expect(204);
    app.delete(&path).await.expect(204);
    app.get(&path).await.expect_croit_error(404);
}

#[tokio::test]
async fn a_servers_uuid_may_be_chosen_and_must_be_one() {
    let app = TestApp::start().await;
    let uuid = "0198c0de-7a1b-7c3d-8e4f-5a6b7c8d9e0f";
    let server = app
        .post("/api/servers", &json!({"name": "a", "uuid": uuid}))
        .await
        .expect(201);
    assert_eq!(server["uuid"], uuid);
    let error = app
        .post("/api/servers", &json!({"name": "b", "uuid": "x"}))
        .await
        .expect_croit_error(400);
    assert!(error.contains("uuid"), "{error}");
    // An id that is another server's name would make references ambiguous.
    let other = "0198c0de-7a1b-7c3d-8e4f-5a6b7c8d9e10";
    app.server(other).await;
    let taken = json!({"name": "c", "uuid": other});
    let problem = app.post("/api/v1/servers", &taken).await;
    let problem = problem.expect_problem(422, "/problems/invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/uuid", "{problem}");
}

#[tokio::test]
async fn an_instance_has_a_host_a_project_and_a_group_in_both_apis() {
    let app = TestApp::start().await;
    let body = json!({"name": "web", "host": "node-1", "project": "blue", "group": "webs"});
    let there = [
        ("/api/servers", "/api/v1/servers"),
        ("/api/v1/servers", "/api/servers"),
    ];
    for (number, (made_at, seen_at)) in there.into_iter().enumerate() {
        let mut body = body.clone();
        body["name"] = json!(format!("web-{number}"));
        let server = app.post(made_at, &body).await.expect(201);
        for name in ["host", "project", "group"] {
            assert_eq!(server[name], body[name], "{server}");
        }
        let path = format!("{seen_at}/{}", server["id"]);
        assert_eq!(app.get(&path).await.expect(200), server);
        // What is left out stays, and null forgets.
        let change = json!({"project": "green", "group": null});
        let changed = app.patch(&path, &change).await.expect(200);
        assert_eq!(
            (&changed["host"], &changed["project"], &changed["group"]),
            (&json!("node-1"), &json!("green"), &Value::Null)
        );
        let path = format!("{made_at}/{}", server["id"]);
        assert_eq!(app.get(&path).await.expect(200), changed);
    }
}

#[tokio::test]
async fn hosts_projects_and_groups_have_printable_names() {
    let app = TestApp::start().await;
    let long = "x".repeat(256);
    for name in ["host", "project", "group"] {
        for value in [json!(""), json!("a\u{1b}b"), json!(long), json!(7)] {
            let body = json!({"name": "web", name: value});
            let error = app.post("/api/servers", &body).await;
            assert!(error.expect_croit_error(400).contains(name), "{body}");
            let refused = app.post("/api/v1/servers", &body).await;
            let problem = refused.expect_problem(422, "/problems/invalid-request");
            assert_eq!(problem["errors"][0]["pointer"], format!("/{name}"));
        }
    }
}
