//! Executions: limits, lists, live output, cancelling and redriving.

use http::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, event_of};

/// Binds a script with these limits to `custom.a`.
async fn limited(app: &TestApp, text: &str, limits: Value) {
    let source = app.script("limited", text).await;
    let body = json!({"source": source, "event": "custom.a", "limits": limits});
    app.post("/api/v1/hooks", &body).await.expect(201);
}

async fn first(app: &TestApp) -> Value {
    app.fire("custom.a", json!({})).await["task"]["executions"][0].clone()
}

#[tokio::test]
async fn a_hook_that_reaches_a_limit_says_which() {
    for (text, limits, limit) in [
        ("while :; do :; done", json!({"fuel": 50_000_000}), "fuel"),
        ("sleep 1h", json!({"wall_ms": 50}), "wall"),
    ] {
        let app = TestApp::start().await;
        limited(&app, text, limits).await;
        let execution = first(&app).await;
        assert_eq!(
            execution["outcome"],
            json!({"kind": "stopped", "limit": limit}),
            "{execution}"
        );
        assert_eq!(execution["state"], "FAILED");
    }
}

#[tokio::test]
async fn output_beyond_its_limit_is_dropped_and_marked() {
    let app = TestApp::start().await;
    limited(&app, "printf '%s' abcdefghij", json!({"output_bytes": 4})).await;
    let execution = first(&app).await;
    assert_eq!(
        (&execution["stdout"], &execution["truncated"]),
        (&json!("abcd"), &json!(true)),
        "{execution}"
    );
    assert_eq!(execution["dropped_bytes"], 6);
}

#[tokio::test]
async fn bytes_that_are_not_text_are_printed_both_ways() {
    let app = TestApp::start().await;
    limited(&app, "printf 'a\\377b'; printf 'plain' >&2", json!({})).await;
    let execution = first(&app).await;
    assert_eq!(execution["stdout"], "a\u{fffd}b");
    assert_eq!(execution["stdout_base64"], "Yf9i");
    assert_eq!(
        (&execution["stderr"], &execution["stderr_base64"]),
        (&json!("plain"), &Value::Null)
    );
}

#[tokio::test]
async fn lists_are_filtered_and_go_on_at_their_cursor() {
    let app = TestApp::start().await;
    let good = app.script("good", "true").await;
    let bad = app.script("bad", "false").await;
    let hook = app.hook(good, "custom.good").await;
    let body =
        json!({"source": bad, "event": "custom.bad", "retry": {"attempts": 2, "backoff_ms": 0}});
    app.post("/api/v1/hooks", &body).await.expect(201);
    for event in ["custom.good", "custom.bad", "custom.good"] {
        app.fire(event, json!({})).await;
    }
    let count = async |path: String| {
        let list = app.get(&path).await.expect(200);
        list["items"].as_array().unwrap().len()
    };
    assert_eq!(count("/api/v1/executions".into()).await, 3);
    assert_eq!(count("/api/v1/executions?state=FAILED".into()).await, 1);
    assert_eq!(count("/api/v1/executions?dead=true".into()).await, 1);
    assert_eq!(
        count(format!("/api/v1/executions?hook={}", hook["number"])).await,
        2
    );
    assert_eq!(count("/api/v1/executions?task=2".into()).await, 1);
    assert_eq!(count("/api/v1/tasks?event=custom.good".into()).await, 2);
    assert_eq!(count("/api/v1/tasks?active=true".into()).await, 0);

    let page = app.get("/api/v1/executions?limit=2").await.expect(200);
    let next = page["next"].as_str().unwrap();
    let rest = app
        .get(&format!("/api/v1/executions?limit=2&after={next}"))
        .await
        .expect(200);
    assert_eq!(
        (rest["items"].as_array().unwrap().len(), &rest["next"]),
        (1, &Value::Null)
    );
    for path in [
        "executions?state=x",
        "executions?limit=0",
        "executions?after=x",
        "tasks?since=x",
        "executions?x=1",
    ] {
        app.get(&format!("/api/v1/{path}"))
            .await
            .expect_problem(422, "/problems/invalid-request");
    }
}

#[tokio::test]
async fn output_is_sent_as_events_from_the_beginning_to_the_end() {
    let app = TestApp::start().await;
    limited(
        &app,
        "echo one; echo two >&2; printf '\\377'; exit 4",
        json!({}),
    )
    .await;
    let id = first(&app).await["id"].as_str().unwrap().to_owned();
    let answer = app.get(&format!("/api/v1/executions/{id}/output")).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let text = answer.text();
    let events: Vec<(&str, Value)> = text
        .split("\n\n")
        .filter_map(|event| {
            let (name, data) = event.trim().split_once('\n')?;
            Some((
                name.strip_prefix("event: ")?,
                serde_json::from_str(data.strip_prefix("data: ")?).unwrap(),
            ))
        })
        .collect();
    let (last, printed) = events.split_last().unwrap();
    assert_eq!(
        *last,
        (
            "end",
            json!({"state": "FAILED", "outcome": {"kind": "exited", "status": 4}})
        )
    );
    assert!(
        printed.contains(&("stderr", json!({"text": "two\n"}))),
        "{text}"
    );
    assert!(printed.iter().any(|(name, _)| *name == "stdout"), "{text}");
}

#[tokio::test]
async fn live_output_ends_when_the_execution_is_cancelled() {
    let app = TestApp::start().await;
    limited(&app, "echo begun; sleep 1h", json!({})).await;
    let posted = app
        .post("/api/v1/events", &event_of("custom.a", json!({})))
        .await
        .expect(202);
    let path = format!("/api/v1/executions?task={}", posted["task"]["number"]);
    let id = app.get(&path).await.expect(200)["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let output = format!("/api/v1/executions/{id}/output");
    let cancel = format!("/api/v1/executions/{id}/cancel");
    let (answer, ()) = tokio::join!(app.get(&output), async {
        app.call(Method::POST, &cancel)
            .await
            .send()
            .await
            .expect(202);
    });
    assert!(
        answer.text().contains("event: end\ndata: {\"outcome\":"),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains("CANCELED"), "{}", answer.text());
}

#[tokio::test]
async fn what_failed_for_good_is_redriven_by_call() {
    let app = TestApp::start().await;
    limited(&app, "echo $HOOK_ATTEMPT; false", json!({})).await;
    let execution = first(&app).await;
    let path = format!("/api/v1/executions/{}", execution["id"].as_str().unwrap());
    app.call(Method::POST, &format!("{path}/redrive"))
        .await
        .send()
        .await
        .expect(202);
    app.ended(execution["task_number"].as_i64().unwrap()).await;
    let again = app.get(&path).await.expect(200);
    assert_eq!(
        (&again["attempt"], &again["stdout"]),
        (&json!(2), &json!("2\n")),
        "{again}"
    );
}

#[tokio::test]
async fn unknown_executions_and_tasks_are_404() {
    let app = TestApp::start().await;
    let id = "0198c0de-7a1b-7c3d-8e4f-5a6b7c8d9e0f";
    for path in [
        format!("executions/{id}"),
        format!("executions/{id}/output"),
        "executions/x".into(),
        "tasks/9".into(),
    ] {
        app.get(&format!("/api/v1/{path}"))
            .await
            .expect_problem(404, "/problems/not-found");
    }
}

#[tokio::test]
async fn a_running_execution_shows_its_usage_so_far() {
    let app = TestApp::start().await;
    limited(&app, "echo begun; sleep 1h", json!({})).await;
    app.post("/api/v1/events", &event_of("custom.a", json!({})))
        .await
        .expect(202);
    let mut found = Value::Null;
    // Bounded: a run begins as soon as a thread is free.
    for _ in 0..10_000 {
        let list = app
            .get("/api/v1/executions?state=RUNNING")
            .await
            .expect(200);
        found = list["items"][0].clone();
        if found["usage"]["fuel"].as_u64() > Some(0) {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(
        (&found["state"], &found["usage"]["so_far"]),
        (&json!("RUNNING"), &json!(true)),
        "{found}"
    );
    assert!(
        found["usage"]["memory_peak_bytes"].as_u64() > Some(0),
        "{found}"
    );
    assert_eq!(found["usage"]["host_calls"], Value::Null);
    let path = format!("/api/v1/executions/{}", found["id"].as_str().unwrap());
    let alone = app.get(&path).await.expect(200);
    assert!(alone["usage"]["fuel"].as_u64() >= found["usage"]["fuel"].as_u64());
    app.call(Method::POST, &format!("{path}/cancel"))
        .await
        .send()
        .await
        .expect(202);
    app.ended(found["task_number"].as_i64().unwrap()).await;
    let ended = app.get(&path).await.expect(200);
    assert_eq!(ended["usage"]["so_far"], Value::Null);
    assert!(ended["usage"]["host_calls"].as_u64() > Some(0), "{ended}");
}

#[tokio::test]
async fn structured_log_lines_are_separated_from_the_rest() {
    let app = TestApp::start().await;
    let script = r#"echo plain >&2
echo '{"level":"warn","message":"nearly full","percent":97}' >&2
echo '{"level":"loud","message":"x"}' >&2
echo '{"level":"info","message":"on stdout"}'"#;
    limited(&app, script, json!({})).await;
    let execution = first(&app).await;
    assert_eq!(
        execution["logs"],
        json!([{"level": "warn", "message": "nearly full", "percent": 97}]),
        "{execution}"
    );
}

#[tokio::test]
async fn log_lines_beyond_a_thousand_stay_in_the_text_alone() {
    let app = TestApp::start().await;
    let script = r#"n=0; while [ $n -lt 1002 ]; do echo '{"level":"info","message":"x"}' >&2; n=$((n + 1)); done"#;
    limited(&app, script, json!({"output_bytes": 1_000_000})).await;
    let execution = first(&app).await;
    assert_eq!(execution["logs"].as_array().unwrap().len(), 1_000);
    assert_eq!(execution["stderr"].as_str().unwrap().lines().count(), 1_002);
}

/// Several pieces of an output, with a character that a piece may cut in two, a
/// byte that is no text, and a line of log.
const LONG: &str = r#"printf 'é'
for part in 1 2 3; do head -c 500000 /dev/zero | tr '\0' x; done
printf '\377'
head -c 500000 /dev/zero | tr '\0' '\n'
echo '{"level":"info","message":"hi"}' >&2"#;

async fn long(app: &TestApp) -> Value {
    let limits = json!({
        "output_bytes": 4 << 20, "memory_bytes": 256 << 20, "fuel": 20_000_000_000_u64
    });
    limited(app, LONG, limits).await;
    let task = app.fire("custom.a", json!({})).await["task"].clone();
    let path = format!("/api/v1/tasks/{}", task["number"]);
    app.get(&path).await.expect(200)["executions"][0].clone()
}

#[tokio::test]
async fn a_long_output_is_the_same_whether_it_is_read_whole_or_in_pieces() {
    let app = TestApp::start().await;
    let whole = long(&app).await;
    let path = format!("/api/v1/executions/{}", whole["id"].as_str().unwrap());
    let answer = app.get(&path).await;
    assert!(!answer.headers.contains_key("content-length"));
    let pieces = answer.expect(200);
    assert_eq!(pieces["logs"][0]["message"], "hi");
    assert_eq!(
        pieces["stdout"].as_str().unwrap().chars().count(),
        2_000_002
    );
    assert!(pieces["stdout_base64"].is_string() && pieces == whole);
}

#[tokio::test]
async fn a_long_output_that_is_over_is_followed_from_its_beginning_to_its_end() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let app = TestApp::start().await;
    let whole = long(&app).await;
    let path = format!(
        "/api/v1/executions/{}/output",
        whole["id"].as_str().unwrap()
    );
    let answer = app.get(&path).await.text();
    let mut stdout = Vec::new();
    for event in answer
        .split("\n\n")
        .filter(|event| event.starts_with("event: stdout"))
    {
        let (_, data) = event.split_once("data: ").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        match (data["text"].as_str(), data["base64"].as_str()) {
            (Some(text), None) => stdout.extend_from_slice(text.as_bytes()),
            (None, Some(encoded)) => stdout.extend(STANDARD.decode(encoded).unwrap()),
            other => panic!("{other:?}"),
        }
    }
    assert!(STANDARD.encode(stdout) == whole["stdout_base64"].as_str().unwrap());
    assert!(answer.contains("event: end\n"));
    assert!(answer.contains("hi"));
}
