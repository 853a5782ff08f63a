//! What holds for every API: ids, error formats, bodies, metrics, audit; but not panics.

use http::Method;
use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn unknown_paths_are_refused_in_the_form_of_their_api() {
    let app = TestApp::start().await;
    for path in ["/api/nothing", "/api/events/nothing", "/api", "/api/"] {
        app.get(path).await.expect_croit_error(404);
    }
    for path in ["/api/v1", "/api/v1/nothing", "/nothing", "/v10/maintenance"] {
        app.get(path).await.expect_problem(404, "about:blank");
    }
}

#[tokio::test]
async fn a_wrong_method_is_refused_in_the_form_of_its_api_with_the_right_ones() {
    let app = TestApp::start().await;
    let answer = app.delete("/api/events/scripts").await;
    answer.expect_croit_error(405);
    assert!(
        answer.header("allow").contains("GET"),
        "{:?}",
        answer.headers
    );
    let answer = app.delete("/api/v1/sources").await;
    answer.expect_problem(405, "about:blank");
    assert!(
        answer.header("allow").contains("POST"),
        "{:?}",
        answer.headers
    );
}

#[tokio::test]
async fn a_missing_or_wrong_token_is_401_in_both_apis() {
    let app = TestApp::start().await;
    for secret in [None, Some(""), Some("th_wrong"), Some(&*"x".repeat(5_000))] {
        let send = async |path: &'static str| {
            let call = app.call(Method::GET, path).await;
            match secret {
                None => call.anonymous().send().await,
                Some(secret) => call.token(secret).send().await,
            }
        };
        let answer = send("/api/events/hooks").await;
        answer.expect_croit_error(401);
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        let answer = send("/api/v1/hooks").await;
        answer.expect_problem(401, "/problems/unauthenticated");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
}

#[tokio::test]
async fn a_clients_request_id_is_returned_and_identifies_the_problem() {
    let app = TestApp::start().await;
    let call = app.call(Method::GET, "/api/v1/hooks/9").await;
    let answer = call.header("x-request-id", "deploy-7").send().await;
    assert_eq!(answer.header("x-request-id"), "deploy-7");
    let problem = answer.expect_problem(404, "/problems/not-found");
    assert_eq!(problem["instance"], "urn:tenterhook:request:deploy-7");
    assert!(!app.get("/healthz").await.header("x-request-id").is_empty());
}

#[tokio::test]
async fn a_compressed_body_is_415() {
    let app = TestApp::start().await;
    let call = app.call(Method::POST, "/api/v1/hooks").await;
    let answer = call
        .header("content-encoding", "gzip")
        .json(&json!({}))
        .send()
        .await;
    answer.expect_problem(415, "/problems/unreadable-body");
    let call = app.call(Method::POST, "/api/events/hooks").await;
    call.header("content-encoding", "gzip")
        .json(&json!({}))
        .send()
        .await
        .expect_croit_error(415);
}

#[tokio::test]
async fn invalid_json_is_400_and_other_types_are_415() {
    let app = TestApp::start().await;
    for (path, native) in [("/api/events/hooks", false), ("/api/v1/hooks", true)] {
        for (kind, body, status) in [
            ("application/json", "{\"a\":", 400),
            ("application/json", "", 400),
            ("application/json", "{} {}", 400),
            ("text/plain", "{}", 415),
            ("application/x-www-form-urlencoded", "a=1", 415),
        ] {
            let call = app.call(Method::POST, path).await;
            let answer = call.body(kind, body).send().await;
            if native {
                answer.expect(status);
                assert_eq!(answer.header("content-type"), "application/problem+json");
            } else {
                answer.expect_croit_error(status);
            }
        }
    }
}

#[tokio::test]
async fn an_oversized_json_body_is_413_in_both_apis() {
    let app = TestApp::start().await;
    let body = json!({"name": "x".repeat(2 << 20), "contents": ""});
    app.post("/api/events/scripts", &body)
        .await
        .expect_croit_error(413);
    let problem = app
        .post("/api/v1/hooks", &body)
        .await
        .expect_problem(413, "/problems/unreadable-body");
    assert_eq!(problem["limit_bytes"], 1 << 20);
}

#[tokio::test]
async fn readiness_reports_why_nothing_can_be_written() {
    let app = TestApp::start().await;
    let ready = app.call(Method::GET, "/readyz").await.anonymous();
    let health = app.call(Method::GET, "/healthz").await.anonymous();
    app.dispatcher.close().await.unwrap();

    let answer = ready.send().await;

    assert_eq!(answer.status, 503);
    assert_eq!(answer.text(), "not ready: the database writer has ended\n");
    assert_eq!(health.send().await.status, 200, "the process lives");
}

#[tokio::test]
async fn probes_and_metrics_need_no_token() {
    let app = TestApp::start().await;
    app.fire("OnAudit", json!({})).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            app.call(Method::GET, path)
                .await
                .anonymous()
                .send()
                .await
                .status,
            200
        );
    }
    let page = app
        .call(Method::GET, "/metrics")
        .await
        .anonymous()
        .send()
        .await;
    assert!(
        page.header("content-type")
            .starts_with("application/openmetrics-text; version=1.0.0")
    );
    for name in [
        "tenterhook_http_requests_total",
        "tenterhook_fuel_total",
        "tenterhook_executions_waiting",
        "tenterhook_oldest_waiting_seconds",
    ] {
        assert!(page.text().contains(name), "{name}");
    }
    assert!(
        page.text().contains("tenterhook_accepted_total 1\n"),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn a_change_is_audited_without_its_secrets() {
    let app = TestApp::start().await;
    let script = app.script("audit", "cat").await;
    app.hook(script, "OnAudit").await;
    let body = json!({"source": script, "event": "custom.a", "env": {"KEY": "hush"}});
    app.post("/api/v1/hooks", &body).await.expect(201);
    let tasks = app.get("/api/v1/tasks?event=OnAudit").await.expect(200);
    let newest = &tasks["items"][0]["number"];
    app.ended(newest.as_i64().unwrap()).await;
    let task = app
        .get(&format!("/api/v1/tasks/{newest}"))
        .await
        .expect(200);
    let printed = task["executions"][0]["stdout"].as_str().unwrap();
    let record: serde_json::Value = serde_json::from_str(printed).unwrap();
    assert_eq!(
        (&record["operation"], &record["status"]),
        (&json!("create_hook"), &json!(201)),
        "{record}"
    );
    assert_eq!(
        (&record["method"], &record["endpoint"]),
        (&json!("POST"), &json!("/api/v1/hooks"))
    );
    assert!(!printed.contains("hush"), "{printed}");
}

#[tokio::test]
async fn limits_and_hook_points_are_listed() {
    let app = TestApp::start().await;
    let limits = app.get("/api/v1/limits").await.expect(200);
    assert_eq!(limits["ceiling"]["memory_bytes"], 512 << 20);
    assert_eq!(
        (&limits["script_bytes"], &limits["event_bytes"]),
        (&json!(98_304), &json!(262_144))
    );
    let points = app.get("/api/v1/hook-points").await.expect(200);
    assert!(points["items"].as_array().unwrap().len() > 40);
}
