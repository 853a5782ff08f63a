//! Thousands of external events: each is stored before the reply, and its hook runs.

use http::Method;
use serde_json::json;
use tenterhook_tests_artifacts::handmade;

use crate::nova_support::{PATH, event, events, instance};
use crate::support::TestApp;

/// Events in all, and in each request.
const EVENTS: usize = 10_000;
const BATCH: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_events_are_stored_before_the_reply_and_their_hooks_run() {
    let app = TestApp::start().await;
    let mut vms = Vec::new();
    for n in 0..10 {
        vms.push(instance(&app, &format!("vm-{n}"), Some("compute-1")).await);
    }
    let call = app
        .call(Method::POST, "/api/v1/sources?name=nothing&wait=120")
        .await;
    let source = call
        .body("application/wasm", handmade::memory_of(1))
        .send()
        .await
        .expect(201);
    let hook = json!({"source": source["number"], "event": "network-changed", "servers": "all"});
    app.post("/api/v1/hooks", &hook).await.expect(201);
    let before = app.dispatcher.stats().accepted;

    let token = app.token(tenterhook_dispatch::Role::Admin).await;
    let sent: Vec<_> = (0..BATCH)
        .map(|n| event("network-changed", &vms[n % vms.len()].id))
        .collect();
    let sent = events(&sent);
    for request in 1..=EVENTS / BATCH {
        let call = app.call_as(&token, Method::POST, PATH).await;
        let reply = call.json(&sent).send().await.expect(200);
        assert_eq!(reply["events"].as_array().unwrap().len(), BATCH);
        let accepted = app.dispatcher.stats().accepted - before;
        assert_eq!(accepted, (request * BATCH) as u64);
    }

    // Each task has ended well, with the one execution that it owed.
    let mut seen = 0;
    let mut path = "/api/v1/tasks?event=network-changed&limit=1000".to_owned();
    loop {
        let page = app.get(&path).await.expect(200);
        for task in page["items"].as_array().unwrap() {
            app.ended(task["number"].as_i64().unwrap()).await;
            seen += 1;
        }
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/api/v1/tasks?event=network-changed&limit=1000&after={next}");
    }
    assert_eq!(seen, EVENTS);
    let stats = app.dispatcher.stats();
    let well: u64 = stats
        .attempts
        .iter()
        .filter(|(how, _)| *how == "success")
        .map(|(_, count)| *count)
        .sum();
    assert_eq!(well, EVENTS as u64, "{stats:?}");
}
