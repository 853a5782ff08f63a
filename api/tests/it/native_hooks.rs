//! Hooks through the native API.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn a_hook_is_created_shown_changed_and_removed() {
    let app = TestApp::start().await;
    let source = app.script("a", "true").await;
    let server = app.server("node-1").await;
    let body = json!({
        "source": source, "event": "PreFormatDisk", "servers": [server], "args": ["-v"],
        "env": {"MODE": "dry"}, "limits": {"fuel": 5_000_000}, "order": 3, "enabled": false,
        "failure_policy": "open", "retry": {"attempts": 2},
    });
    let hook = app.post("/api/v1/hooks", &body).await.expect(201);
    for member in [
        "args",
        "env",
        "limits",
        "order",
        "enabled",
        "failure_policy",
        "servers",
        "event",
    ] {
        assert_eq!(hook[member], body[member], "{member}: {hook}");
    }
    let path = format!("/api/v1/hooks/{}", hook["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.expect(200), hook);
    let changed = app
        .patch(&path, &json!({"servers": "all", "enabled": true}))
        .await
        .expect(200);
    assert_eq!(
        (&changed["servers"], &changed["enabled"]),
        (&json!("all"), &json!(true))
    );
    assert_eq!(changed["args"], hook["args"]);
    let list = app
        .get("/api/v1/hooks?event=PreFormatDisk")
        .await
        .expect(200);
    assert_eq!(list["items"], json!([changed]));
    assert_eq!(
        app.get("/api/v1/hooks?event=OnAudit").await.expect(200)["items"],
        json!([])
    );
    app.delete(&path).await.expect(204);
    app.get(&path)
        .await
        .expect_problem(404, "/problems/not-found");
}

#[tokio::test]
async fn defaults_follow_the_hook_point() {
    let app = TestApp::start().await;
    let source = app.script("a", "true").await;
    let pre = app.hook(source, "PreCrushMapChange").await;
    assert_eq!(
        (&pre["servers"], &pre["failure_policy"]),
        (&json!(null), &json!("closed"))
    );
    let post = app.hook(source, "PostDaemonStart").await;
    assert_eq!(
        (&post["servers"], &post["failure_policy"]),
        (&json!("all"), &json!("open"))
    );
    app.hook(source, "custom.deployed").await;
}

#[tokio::test]
async fn invalid_members_of_a_hook_are_named_by_pointer() {
    let app = TestApp::start().await;
    let source = app.script("a", "true").await;
    for (body, pointer) in [
        (json!({"source": 99, "event": "OnAudit"}), "/source"),
        (json!({"source": true, "event": "OnAudit"}), "/source"),
        (json!({"source": source, "event": "onaudit"}), "/event"),
        (
            json!({"source": source, "event": "PreFormatDsik"}),
            "/event",
        ),
        (json!({"source": source, "event": "snapshot.*"}), "/event"),
        (json!({"source": source, "event": "com.*.push"}), "/event"),
        (json!({"source": source, "event": ""}), "/event"),
        (json!({"source": source}), ""),
        (
            json!({"source": source, "event": "OnAudit", "colour": 1}),
            "/colour",
        ),
        (
            json!({"source": source, "event": "PreDaemonStart", "servers": [99]}),
            "/servers",
        ),
        (
            json!({"source": source, "event": "PreDaemonStart", "servers": "some"}),
            "/servers",
        ),
        (
            json!({"source": source, "event": "OnAudit", "limits": {"memory_bytes": 1_u64 << 40}}),
            "/limits/memory_bytes",
        ),
        (
            json!({"source": source, "event": "OnAudit", "limits": {"fuel": 0}}),
            "/limits/fuel",
        ),
        (
            json!({"source": source, "event": "OnAudit", "limits": {"fuel": -1}}),
            "/limits/fuel",
        ),
        (
            json!({"source": source, "event": "OnAudit", "failure_policy": "maybe"}),
            "/failure_policy",
        ),
        (
            json!({"source": source, "event": "OnAudit", "env": {"HOOK_X": "1"}}),
            "/env",
        ),
        (
            json!({"source": source, "event": "OnAudit", "retry": {"attempts": 99}}),
            "/retry/attempts",
        ),
    ] {
        let problem = app
            .post("/api/v1/hooks", &body)
            .await
            .expect_problem(422, "/problems/invalid-request");
        let own = problem["errors"][0]["pointer"].as_str().unwrap();
        assert!(own.starts_with(pointer), "{body}: {problem}");
    }
    assert_eq!(app.get("/api/v1/hooks").await.json()["items"], json!([]));
}
