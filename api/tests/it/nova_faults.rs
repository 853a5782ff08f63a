//! Nova's refusals: every row of its table, in its words.

use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::Role;

use crate::nova_support::{PATH, event, events, instance, message, tasks};
use crate::support::{Answer, TestApp, uuid};

const ID: &str = "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa";

async fn send(app: &TestApp, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
    let call = app.call(Method::POST, PATH).await;
    call.body(kind, body).send().await
}

#[tokio::test]
async fn a_body_that_breaks_the_schema_is_400_with_the_reason() {
    let app = TestApp::start().await;
    let good = format!(r#"{{"name":"network-changed","server_uuid":"{ID}"}}"#);
    let shown = format!("{{'name': 'network-changed', 'server_uuid': '{ID}'");
    for (body, text) in [
        ("{".to_owned(), "Malformed request body".to_owned()),
        (String::new(), "None is not of type 'object'".into()),
        ("{}".into(), "'events' is a required property".into()),
        (
            format!(r#"{{"events":[{good}],"z":1}}"#),
            "Additional properties are not allowed ('z' was unexpected)".into(),
        ),
        (
            r#"{"events":[]}"#.into(),
            "Invalid input for field/attribute events. Value: []. [] should be non-empty".into(),
        ),
        (
            r#"{"events":"foo"}"#.into(),
            "Invalid input for field/attribute events. Value: foo. 'foo' is not of type 'array'".into(),
        ),
        (
            format!(r#"{{"events":[{{"server_uuid":"{ID}"}}]}}"#),
            format!("Invalid input for field/attribute 0. Value: {{'server_uuid': '{ID}'}}. 'name' is a required property"),
        ),
        (
            format!(r#"{{"events":[{{"name":"x","server_uuid":"{ID}"}}]}}"#),
            "Invalid input for field/attribute name. Value: x. 'x' is not one of ['network-changed', 'network-vif-plugged', 'network-vif-unplugged', 'network-vif-deleted']".into(),
        ),
        (
            r#"{"events":[{"name":"network-changed","server_uuid":"zz"}]}"#.into(),
            "Invalid input for field/attribute server_uuid. Value: zz. 'zz' is not a 'uuid'".into(),
        ),
        (
            format!(r#"{{"events":[{good},{}]}}"#, good.replace('}', r#","x":true}"#)),
            format!("Invalid input for field/attribute 1. Value: {shown}, 'x': True}}. Additional properties are not allowed ('x' was unexpected)"),
        ),
    ] {
        let answer = send(&app, "application/json", body).await;
        assert_eq!(message(&answer, 400, "badRequest"), text);
    }
}

#[tokio::test]
async fn novas_own_sample_is_refused() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let answer = app
        .post(PATH, &events(&[event("test-event", &vm.id)]))
        .await;
    let text = message(&answer, 400, "badRequest");
    assert!(text.contains("'test-event' is not one of ["), "{text}");
}

#[tokio::test]
async fn json_is_read_only_in_known_media_types() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let body = events(&[event("network-changed", &vm.id)]).to_string();
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "application/vnd.openstack.compute+json",
        "text/plain",
        "",
    ] {
        send(&app, kind, body.clone()).await.expect(200);
    }
    let call = app.call(Method::POST, PATH).await;
    let call = call.body("x", body.clone()).without("content-type");
    call.send().await.expect(200);
    for kind in [
        "application/xml",
        "text/html",
        "application/x-www-form-urlencoded",
        "x",
    ] {
        let answer = send(&app, kind, body.clone()).await;
        assert_eq!(
            message(&answer, 415, "badMediaType"),
            "Unsupported Content-Type"
        );
    }
    assert_eq!(tasks(&app).await.len(), 6);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let body = events(&[event("network-changed", &vm.id)]).to_string();
    let padded = |bytes: usize| format!("{body}{}", " ".repeat(bytes - body.len()));
    send(&app, "application/json", padded(114_688))
        .await
        .expect(200);
    let answer = send(&app, "application/json", padded(114_689)).await;
    message(&answer, 413, "overLimit");
    assert_eq!(answer.header("connection"), "close");
    assert_eq!(tasks(&app).await.len(), 1);
}

#[tokio::test]
async fn hostile_json_is_400_and_the_next_request_is_served() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let nested = format!(r#"{{"events":[{}{}]}}"#, "[".repeat(100), "]".repeat(100));
    let wide = format!(r#"{{"events":[{}1]}}"#, "1,".repeat(50_000));
    let members: Vec<_> = (0..8_000).map(|n| format!("\"{n}\":0")).collect();
    let members = format!("{{{}}}", members.join(","));
    for body in [
        deep,
        nested,
        wide,
        members,
        "\u{feff}{}".into(),
        "{\"events\":[\"\\ud800\"]}".into(),
    ] {
        let answer = send(&app, "application/json", body).await;
        let text = message(&answer, 400, "badRequest");
        assert!(text.len() < 10_000, "{text}");
        assert!(!text.chars().any(char::is_control), "{text}");
    }
    let answer = send(&app, "application/json", vec![0xff, 0xfe, b'{']).await;
    assert_eq!(
        message(&answer, 400, "badRequest"),
        "Malformed request body"
    );
    app.post(PATH, &events(&[event("network-changed", &vm.id)]))
        .await
        .expect(200);
}

#[tokio::test]
async fn of_a_member_that_occurs_twice_the_last_counts() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let body = format!(
        r#"{{"events":[],"events":[{{"name":"x","name":"network-changed","server_uuid":"{}"}}]}}"#,
        vm.id
    );
    send(&app, "application/json", body).await.expect(200);
}

#[tokio::test]
async fn without_a_valid_token_it_is_keystones_401() {
    let app = TestApp::start().await;
    let body = events(&[event("network-changed", &uuid())]);
    let expected = json!({"error": {
        "code": 401, "title": "Unauthorized",
        "message": "The request you have made requires authentication.",
    }});
    for token in [None, Some("th_wrong"), Some("")] {
        let mut call = app.call(Method::POST, PATH).await.anonymous().json(&body);
        call = call.header("host", "cloud.example:8774");
        if let Some(token) = token {
            call = call.header("x-auth-token", token);
        }
        let answer = call.send().await;
        assert_eq!(answer.expect(401), expected);
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge, "Keystone uri=\"http://cloud.example:8774\"");
        assert!(answer.header("x-compute-request-id").starts_with("req-"));
    }
}

#[tokio::test]
async fn a_service_token_has_to_be_valid_too() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let body = events(&[event("network-changed", &vm.id)]);
    let service = app.token(Role::Viewer).await;
    let (_, of_another_account) = app.tenant("services").await;
    for token in [&service, &of_another_account] {
        let call = app.call(Method::POST, PATH).await.json(&body);
        call.header("x-service-token", token)
            .send()
            .await
            .expect(200);
    }
    for token in ["th_wrong", ""] {
        let call = app.call(Method::POST, PATH).await.json(&body);
        let answer = call.header("x-service-token", token).send().await;
        assert_eq!(answer.expect(401)["error"]["title"], "Unauthorized");
    }
    // Elsewhere the header means nothing.
    let call = app.call(Method::GET, "/api/v1/limits").await;
    call.header("x-service-token", "th_wrong")
        .send()
        .await
        .expect(200);
    assert_eq!(tasks(&app).await.len(), 2);
}

#[tokio::test]
async fn a_caller_below_admin_gets_novas_policy() {
    let app = TestApp::start().await;
    let body = events(&[event("network-changed", &uuid())]);
    for role in [Role::Viewer, Role::Member] {
        let token = app.token(role).await;
        let call = app.call_as(&token, Method::POST, PATH).await;
        let answer = call.json(&body).send().await;
        let text =
            "Policy doesn't allow os_compute_api:os-server-external-events:create to be performed.";
        assert_eq!(message(&answer, 403, "forbidden"), text);
    }
}

#[tokio::test]
async fn other_methods_and_other_paths_have_their_faults() {
    let app = TestApp::start().await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = app.call(method, PATH).await.send().await;
        message(&answer, 405, "badMethod");
        assert_eq!(answer.header("allow"), "POST,OPTIONS");
    }
    for path in [
        "/v2.1/servers",
        "/v2.1/x/servers",
        "/os-server-external-events/x",
    ] {
        let answer = app.get(path).await;
        message(&answer, 404, "itemNotFound");
    }
}

#[tokio::test]
async fn a_compressed_body_is_415() {
    let app = TestApp::start().await;
    let call = app.call(Method::POST, PATH).await;
    let call = call.header("content-encoding", "gzip");
    let answer = call.json(&Value::Null).send().await;
    message(&answer, 415, "badMediaType");
}

#[tokio::test]
async fn while_tokens_cannot_be_looked_up_it_is_keystones_503() {
    let app = TestApp::start().await;
    // Issued and never used: it has to be looked up.
    let token = app.token(Role::Owner).await;
    app.break_store();
    let call = app.call_as(&token, Method::POST, PATH).await;
    let answer = call
        .json(&events(&[event("network-changed", &uuid())]))
        .send()
        .await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.text(),
        "The Keystone service is temporarily unavailable."
    );
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn a_stopping_server_responds_503_and_accepts_nothing() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let token = app.token(Role::Owner).await;
    app.dispatcher.drain(std::time::Duration::ZERO).await;
    let call = app.call_as(&token, Method::POST, PATH).await;
    let answer = call
        .json(&events(&[event("network-changed", &vm.id)]))
        .send()
        .await;
    message(&answer, 503, "serviceUnavailable");
}

#[tokio::test]
async fn too_many_wrong_tokens_are_429_with_the_time_to_wait() {
    use tenterhook_api::{FailureLimits, Quota};
    let limits = FailureLimits {
        address: Quota {
            burst: 1,
            refill: std::time::Duration::from_secs(3600),
        },
        ..FailureLimits::default()
    };
    let app = TestApp::start().await.with_failure_limits(limits);
    let wrong = async || {
        let call = app.call_as("th_wrong", Method::POST, PATH).await;
        call.from("192.0.2.1").json(&Value::Null).send().await
    };
    wrong().await.expect(401);
    let answer = wrong().await;
    message(&answer, 429, "overLimit");
    assert_eq!(
        answer.json()["overLimit"]["retryAfter"],
        answer.header("retry-after")
    );
}
