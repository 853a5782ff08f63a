//! Apps: applications and their containers, managed through the native API.

use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::Role;

use crate::support::TestApp;

/// A container `db` in a pod of this name.
fn container(pod: &str) -> Value {
    json!({
        "podName": pod,
        "podLabels": [{"name": "tier", "value": "db"}],
        "containerImage": "registry.example/postgres:17",
        "containerName": "db",
        "namespaceName": "shop",
    })
}

#[tokio::test]
async fn an_app_is_created_shown_changed_and_removed() {
    let app = TestApp::start().await;
    let body = json!({"name": "shop", "replicated": true, "containers": [container("shop-0"), container("shop-1")]});
    let made = app.post("/api/v1/apps", &body).await;
    let shop = made.expect(201);
    let path = format!("/api/v1/apps/{}", shop["id"].as_str().unwrap());
    assert_eq!(made.header("location"), path);
    for member in ["name", "replicated", "containers"] {
        assert_eq!(shop[member], body[member], "{member}");
    }
    assert_eq!(shop["number"], 1);
    for path in [&path, "/api/v1/apps/1"] {
        assert_eq!(app.get(path).await.expect(200), shop);
    }
    let list = app.get("/api/v1/apps").await.expect(200);
    assert_eq!(list["items"], json!([shop]));
    let change = json!({"containers": [container("shop-2")], "name": "store"});
    let changed = app.patch("/api/v1/apps/1", &change).await.expect(200);
    assert_eq!(changed["containers"], change["containers"]);
    assert_eq!(
        (&changed["name"], &changed["replicated"]),
        (&json!("store"), &json!(true))
    );
    app.delete(&path).await.expect(204);
    for answer in [
        app.get(&path).await,
        app.delete(&path).await,
        app.patch(&path, &json!({})).await,
    ] {
        answer.expect_problem(404, "/problems/not-found");
    }
}

#[tokio::test]
async fn an_app_may_have_a_chosen_id() {
    let app = TestApp::start().await;
    let id = "6f1c1f0a-2f3c-4b0e-9d2a-7a1b2c3d4e5f";
    let new = json!({"id": id, "name": "a"});
    let made = app.post("/api/v1/apps", &new).await.expect(201);
    assert_eq!(
        (&made["id"], &made["containers"], &made["replicated"]),
        (&json!(id), &json!([]), &json!(false))
    );
    app.post("/api/v1/apps", &json!({"id": id, "name": "b"}))
        .await
        .expect_problem(409, "/problems/name-taken");
}

#[tokio::test]
async fn pages_of_apps_follow_each_other_by_number() {
    let app = TestApp::start().await;
    for name in ["a", "b", "c"] {
        app.post("/api/v1/apps", &json!({ "name": name }))
            .await
            .expect(201);
    }
    let first = app.get("/api/v1/apps?limit=2").await.expect(200);
    let next = first["next"].as_str().unwrap();
    let path = format!("/api/v1/apps?limit=2&after={next}");
    let second = app.get(&path).await.expect(200);
    let names: Vec<&Value> = [&first, &second]
        .iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|app| &app["name"])
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(second["next"], Value::Null);
}

#[tokio::test]
async fn a_bad_app_is_refused_by_field() {
    let app = TestApp::start().await;
    let with = |member: &str, value: Value| {
        let mut one = container("p");
        one[member] = value;
        json!({"name": "x", "containers": [one]})
    };
    let mut short = container("p");
    short.as_object_mut().unwrap().remove("containerName");
    for (body, pointer) in [
        (json!({}), ""),
        (json!({"name": ""}), "/name"),
        (json!({"name": "a\u{1b}"}), "/name"),
        (json!({"name": "x", "id": "1"}), "/id"),
        (json!({"name": "x", "replicated": "true"}), "/replicated"),
        (json!({"name": "x", "containers": {}}), "/containers"),
        (json!({"name": "x", "containers": [short]}), "/containers/0"),
        (with("podName", json!(7)), "/containers/0/podName"),
        (with("pod_name", json!("p")), "/containers/0/pod_name"),
        (
            with("podLabels", json!({"tier": "db"})),
            "/containers/0/podLabels",
        ),
        (
            with("podName", json!("x".repeat(256))),
            "/containers/podName",
        ),
    ] {
        let problem = app.post("/api/v1/apps", &body).await;
        let problem = problem.expect_problem(422, "/problems/invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let many = vec![container("p"); 1_025];
    app.post("/api/v1/apps", &json!({"name": "x", "containers": many}))
        .await
        .expect_problem(422, "/problems/invalid-request");
    app.post("/api/v1/apps", &json!({"name": "x"}))
        .await
        .expect(201);
    app.post("/api/v1/apps", &json!({"name": "x"}))
        .await
        .expect_problem(409, "/problems/name-taken");
}

#[tokio::test]
async fn an_app_with_bound_hooks_cannot_be_removed() {
    let app = TestApp::start().await;
    app.post("/api/v1/apps", &json!({"name": "shop"}))
        .await
        .expect(201);
    let source = app.script("a", "true").await;
    let body = json!({"name": "h", "source": source, "event": "snapshot.pre", "app": 1});
    let hook = app.post("/api/v1/hooks", &body).await.expect(201);
    app.delete("/api/v1/apps/1")
        .await
        .expect_problem(409, "/problems/conflict");
    let path = format!("/api/v1/hooks/{}", hook["id"].as_str().unwrap());
    app.delete(&path).await.expect(204);
    app.delete("/api/v1/apps/1").await.expect(204);
}

#[tokio::test]
async fn apps_are_isolated_between_tenants_and_members_cannot_change_them() {
    let app = TestApp::start().await;
    let made = app.post("/api/v1/apps", &json!({"name": "shop"})).await;
    let id = made.expect(201)["id"].as_str().unwrap().to_owned();
    let (_, other) = app.tenant("tenant").await;
    for path in [format!("/api/v1/apps/{id}"), "/api/v1/apps/1".to_owned()] {
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            let call = app.call_as(&other, method, &path).await;
            call.json(&json!({}))
                .send()
                .await
                .expect_problem(404, "/problems/not-found");
        }
    }
    let call = app.call_as(&other, Method::POST, "/api/v1/apps").await;
    let own = call.json(&json!({"name": "shop"})).send().await.expect(201);
    assert_eq!(own["number"], 1);
    let member = app.token(Role::Member).await;
    let call = app.call_as(&member, Method::POST, "/api/v1/apps").await;
    call.json(&json!({"name": "x"}))
        .send()
        .await
        .expect_problem(403, "/problems/forbidden");
}
