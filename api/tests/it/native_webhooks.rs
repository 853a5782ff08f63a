//! Webhooks in the native API: who may subscribe, what is shown, and the deliveries.

use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::Role;
use tenterhook_sdk::Event;

use crate::support::TestApp;

const URL: &str = "http://192.168.0.1/hook";

/// Creates a webhook for all events.
async fn webhook(app: &TestApp) -> Value {
    let new = json!({ "url": URL });
    app.post("/api/v1/webhooks", &new).await.expect(201)
}

fn path(webhook: &Value) -> String {
    format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap())
}

/// Offers an event about no project.
async fn offer(app: &TestApp, id: &str) {
    let event = Event::new(id, "/test", "maintenance.host", None);
    let account = app.account().as_uuid();
    app.delivery.offer(account, &event, None).await.unwrap();
}

#[tokio::test]
async fn a_webhook_is_created_shown_switched_and_removed() {
    let app = TestApp::start().await;
    let new = json!({
        "url": "https://Manager.example/hook?a=b",
        "events": ["maintenance.scheduled", "action.instance"],
        "project": "p1",
    });
    let made = app.post("/api/v1/webhooks", &new).await;
    let mut webhook = made.expect(201);
    let path = path(&webhook);
    assert_eq!(made.header("location"), path);
    let secret = webhook.as_object_mut().unwrap().remove("secret").unwrap();
    assert!(secret.as_str().unwrap().starts_with("whsec_"));
    assert_eq!(webhook["url"], "https://manager.example/hook?a=b");
    assert_eq!(
        webhook["events"],
        json!(["action.instance", "maintenance.scheduled"])
    );
    assert_eq!(
        (&webhook["project"], &webhook["enabled"]),
        (&json!("p1"), &json!(true))
    );
    assert_eq!(app.get(&path).await.expect(200), webhook);
    let list = app.get("/api/v1/webhooks").await.expect(200);
    assert_eq!(list, json!({"items": [webhook]}));

    let off = app.patch(&path, &json!({"enabled": false})).await;
    assert_eq!(off.expect(200)["enabled"], false);
    assert_eq!(app.patch(&path, &json!({})).await.expect(200), off.json());
    let on = app.patch(&path, &json!({"enabled": true})).await;
    assert_eq!(on.expect(200), webhook);

    app.delete(&path).await.expect(204);
    for answer in [
        app.get(&path).await,
        app.delete(&path).await,
        app.patch(&path, &json!({"enabled": true})).await,
        app.get(&format!("{path}/deliveries")).await,
        app.get("/api/v1/webhooks/7").await,
    ] {
        let problem = answer.expect_problem(404, "/problems/not-found");
        assert_eq!(problem["noun"], "webhook");
    }
}

#[tokio::test]
async fn a_chosen_secret_is_accepted() {
    let app = TestApp::start().await;
    let secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    let new = json!({"url": URL, "secret": secret});
    let made = app.post("/api/v1/webhooks", &new).await.expect(201);
    assert_eq!(made["secret"], secret);
    let shown = app.get(&path(&made)).await.text();
    assert!(!shown.contains(&secret[6..]) && !shown.contains("secret"));
}

#[tokio::test]
async fn invalid_members_of_a_webhook_are_named() {
    let app = TestApp::start().await;
    for (pointer, new) in [
        ("/url", json!({"url": "ftp://manager.example/"})),
        ("/url", json!({"url": "http://user:word@manager.example/"})),
        (
            "/url",
            json!({"url": format!("http://a.example/{}", "x".repeat(2_048))}),
        ),
        ("", json!({})),
        ("/url", json!({"url": 7})),
        ("/events", json!({"url": URL, "events": ["OnAudit"]})),
        (
            "/events",
            json!({"url": URL, "events": vec!["maintenance.host"; 33]}),
        ),
        ("/events/0", json!({"url": URL, "events": [1]})),
        ("/project", json!({"url": URL, "project": ""})),
        ("/project", json!({"url": URL, "project": "a\u{7}"})),
        ("/secret", json!({"url": URL, "secret": "whsec_c2hvcnQ="})),
        ("/enabled", json!({"url": URL, "enabled": true})),
    ] {
        let answer = app.post("/api/v1/webhooks", &new).await;
        let problem = answer.expect_problem(422, "/problems/invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{new}: {problem}");
    }
    assert_eq!(
        app.get("/api/v1/webhooks").await.expect(200),
        json!({"items": []})
    );
}

#[tokio::test]
async fn deliveries_are_listed_newest_first() {
    let app = TestApp::start().await;
    let webhook = webhook(&app).await;
    let deliveries = format!("{}/deliveries", path(&webhook));
    let empty = app.get(&deliveries).await.expect(200);
    assert_eq!(empty, json!({"items": []}));
    app.patch(&path(&webhook), &json!({"enabled": false}))
        .await
        .expect(200);
    app.patch(&path(&webhook), &json!({"enabled": true}))
        .await
        .expect(200);
    for id in ["1", "2", "3"] {
        offer(&app, id).await;
    }
    // The address is private, so each is refused before anything is sent.
    let mut items = Vec::new();
    for _ in 0..3_000 {
        let list = app.get(&deliveries).await.expect(200);
        items = list["items"].as_array().unwrap().clone();
        if items.iter().all(|item| item["attempts"] != 0) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(items.len(), 3);
    for item in &items {
        assert_eq!(
            (&item["event"], &item["status"]),
            (&json!("maintenance.host"), &json!("waiting"))
        );
        let response = item["response"].as_str().unwrap();
        assert!(
            response.starts_with("not sent: the address is private"),
            "{response}"
        );
        assert!(item["due_at"].as_str().unwrap() >= item["created_at"].as_str().unwrap());
    }
    let times: Vec<_> = items
        .iter()
        .map(|item| item["created_at"].as_str().unwrap())
        .collect();
    assert!(
        times.is_sorted_by(|newer, older| newer >= older),
        "{times:?}"
    );

    let first = app.get(&format!("{deliveries}?limit=2")).await.expect(200);
    let next = first["next"].as_str().unwrap();
    let rest = format!("{deliveries}?limit=2&after={next}");
    let rest = app.get(&rest).await.expect(200);
    let ids = |list: &Value| -> Vec<Value> {
        let items = list["items"].as_array().unwrap();
        items.iter().map(|item| item["id"].clone()).collect()
    };
    let whole: Vec<_> = items.iter().map(|item| item["id"].clone()).collect();
    assert_eq!([ids(&first), ids(&rest)].concat(), whole);
    for query in ["limit=0", "limit=1001", "after=x"] {
        app.get(&format!("{deliveries}?{query}"))
            .await
            .expect_problem(422, "/problems/invalid-request");
    }

    let page = app.get("/metrics").await.text();
    assert!(
        page.contains("tenterhook_webhook_deliveries_waiting 3"),
        "{page}"
    );
    assert!(page.contains("tenterhook_webhook_deliveries_total{status=\"delivered\"} 0"));
}

#[tokio::test]
async fn at_most_a_hundred_webhooks_are_accepted() {
    let app = TestApp::start().await;
    let token = app.token(Role::Admin).await;
    let new = json!({ "url": URL });
    let post = async || {
        let call = app.call_as(&token, Method::POST, "/api/v1/webhooks").await;
        call.json(&new).send().await
    };
    for _ in 0..100 {
        post().await.expect(201);
    }
    post().await.expect_problem(409, "/problems/conflict");
}

#[tokio::test]
async fn only_admins_change_webhooks_and_viewers_read_them() {
    let app = TestApp::start().await;
    let webhook = webhook(&app).await;
    let (one, deliveries) = (path(&webhook), format!("{}/deliveries", path(&webhook)));
    let (viewer, member) = (app.token(Role::Viewer).await, app.token(Role::Member).await);
    for path in ["/api/v1/webhooks", &one, &deliveries] {
        let call = app.call_as(&viewer, Method::GET, path).await;
        call.send().await.expect(200);
    }
    for (method, path) in [
        (Method::POST, "/api/v1/webhooks"),
        (Method::PATCH, &one),
        (Method::DELETE, &one),
    ] {
        let call = app.call_as(&member, method, path).await;
        let answer = call.json(&json!({"url": URL})).send().await;
        answer.expect_problem(403, "/problems/forbidden");
    }
}

#[tokio::test]
async fn the_webhooks_of_one_account_are_hidden_from_another() {
    let app = TestApp::start().await;
    let webhook = webhook(&app).await;
    let (one, deliveries) = (path(&webhook), format!("{}/deliveries", path(&webhook)));
    let (_, other) = app.tenant("other").await;
    let call = app.call_as(&other, Method::GET, "/api/v1/webhooks").await;
    assert_eq!(call.send().await.expect(200), json!({"items": []}));
    for (method, path) in [
        (Method::GET, &one),
        (Method::GET, &deliveries),
        (Method::DELETE, &one),
    ] {
        let call = app.call_as(&other, method, path).await;
        call.send().await.expect_problem(404, "/problems/not-found");
    }
    let call = app.call_as(&other, Method::PATCH, &one).await;
    let answer = call.json(&json!({"enabled": false})).send().await;
    answer.expect_problem(404, "/problems/not-found");
    assert_eq!(app.get(&one).await.expect(200)["enabled"], true);
}

#[tokio::test]
async fn a_new_webhook_is_audited_without_its_secret() {
    let app = TestApp::start().await;
    let source = app.script("audit", "cat").await;
    app.hook(source, "OnAudit").await;
    let secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    let new = json!({"url": URL, "secret": secret});
    app.post("/api/v1/webhooks", &new).await.expect(201);
    let tasks = app.get("/api/v1/tasks?event=OnAudit").await.expect(200);
    let newest = &tasks["items"][0]["number"];
    app.ended(newest.as_i64().unwrap()).await;
    let task = app
        .get(&format!("/api/v1/tasks/{newest}"))
        .await
        .expect(200);
    let printed = task["executions"][0]["stdout"].as_str().unwrap();
    assert!(
        printed.contains("create_webhook") && printed.contains("192.168.0.1"),
        "{printed}"
    );
    assert!(!printed.contains(&secret[6..]), "{printed}");
}
