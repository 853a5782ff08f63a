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
async fn a_hook_that_reaches_a_limit_reports_which() {
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
async fn bytes_that_are_not_text_are_returned_as_text_and_base64() {
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
async fn lists_are_filtered_and_continue_at_their_cursor() {
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
async fn output_is_streamed_as_events_from_start_to_end() {
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
    let events = events(&text);
    let events: Vec<(&str, Value)> = events.iter().map(|e| (&*e.name, e.data.clone())).collect();
    let (last, printed) = events.split_last().unwrap();
    assert_eq!(printed[0], ("attempt", json!({"attempt": 1})));
    assert_eq!(
        *last,
        (
            "end",
            json!({"attempt": 1, "state": "FAILED", "outcome": {"kind": "exited", "status": 4}})
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
        answer
            .text()
            .contains("event: end\ndata: {\"attempt\":1,\"outcome\":"),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains("CANCELED"), "{}", answer.text());
}

#[tokio::test]
async fn a_dead_execution_is_redriven_on_request() {
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
async fn log_lines_beyond_a_thousand_are_only_in_the_text() {
    let app = TestApp::start().await;
    let script = r#"n=0; while [ $n -lt 1002 ]; do echo '{"level":"info","message":"x"}' >&2; n=$((n + 1)); done"#;
    limited(&app, script, json!({"output_bytes": 1_000_000})).await;
    let execution = first(&app).await;
    assert_eq!(execution["logs"].as_array().unwrap().len(), 1_000);
    assert_eq!(execution["stderr"].as_str().unwrap().lines().count(), 1_002);
}

/// Several pieces of an output, with a character that a piece may cut in two, a
/// byte that is not text, and a log line.
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
    let mut pieces = answer.expect(200);
    // A task does not list them.
    let attempts = pieces.as_object_mut().unwrap().remove("attempts").unwrap();
    assert_eq!(attempts[0]["attempt"], 1);
    assert_eq!(pieces["logs"][0]["message"], "hi");
    assert_eq!(
        pieces["stdout"].as_str().unwrap().chars().count(),
        2_000_002
    );
    assert!(pieces["stdout_base64"].is_string() && pieces == whole);
}

#[tokio::test]
async fn a_long_finished_output_is_followed_from_start_to_end() {
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
        let data: Value = serde_json::from_str(data.lines().next().unwrap()).unwrap();
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

/// One server-sent event.
#[derive(Clone, Debug, PartialEq)]
struct Event {
    name: String,
    data: Value,
    id: String,
}

fn events(text: &str) -> Vec<Event> {
    let field = |event: &str, name: &str| {
        let line = event.lines().find_map(|line| line.strip_prefix(name));
        line.map(str::to_owned)
    };
    let events = text.split("\n\n").filter_map(|event| {
        Some(Event {
            name: field(event, "event: ")?,
            data: serde_json::from_str(&field(event, "data: ")?).unwrap(),
            id: field(event, "id: ").unwrap_or_else(|| panic!("no id: {event}")),
        })
    });
    events.collect()
}

/// What was printed on a stream.
fn printed(events: &[Event], stream: &str) -> String {
    let of_it = events.iter().filter(|event| event.name == stream);
    of_it
        .map(|event| event.data["text"].as_str().unwrap())
        .collect()
}

async fn resume(app: &TestApp, id: &str, position: &str) -> crate::support::Answer {
    let path = format!("/api/v1/executions/{id}/output");
    let call = app.call(Method::GET, &path).await;
    call.header("last-event-id", position).send().await
}

#[tokio::test]
async fn following_resumes_after_the_last_received_event() {
    let app = TestApp::start().await;
    limited(
        &app,
        "echo one; echo two >&2; printf 'é'; exit 4",
        json!({}),
    )
    .await;
    let id = first(&app).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/executions/{id}/output");
    let whole = app.get(&path).await;
    assert!(whole.text().contains("\nretry: "), "{}", whole.text());
    let whole = events(&whole.text());
    let (end, begun) = whole.split_last().unwrap();
    for (place, event) in begun.iter().enumerate() {
        let rest = events(&resume(&app, &id, &event.id).await.text());
        assert_eq!(rest[0].name, "attempt", "{rest:?}");
        assert_eq!(rest[1..], whole[place + 1..], "{event:?}");
        // For those who cannot set a header.
        let rest = app.get(&format!("{path}?after={}", event.id)).await;
        assert_eq!(events(&rest.text())[1..], whole[place + 1..], "{event:?}");
    }
    // In the middle of a piece, as it may have come while it was printed.
    let middle = whole[0].id.replace(".0.0", ".2.1");
    let rest = events(&resume(&app, &id, &middle).await.text());
    assert_eq!(
        (printed(&rest, "stdout"), printed(&rest, "stderr")),
        ("e\né".into(), "wo\n".into())
    );

    // Nothing more will come: an EventSource does not ask again.
    resume(&app, &id, &end.id).await.expect(204);
    app.get(&format!("{path}?after={}", end.id))
        .await
        .expect(204);
    // An EventSource comes back to the same address: what its header says is newer.
    let call = app
        .call(Method::GET, &format!("{path}?after={}", whole[0].id))
        .await;
    let answer = call.header("last-event-id", &end.id).send().await;
    answer.expect(204);
}

#[tokio::test]
async fn an_invalid_position_is_refused() {
    let app = TestApp::start().await;
    limited(&app, "echo one", json!({})).await;
    let ids = [first(&app).await, first(&app).await];
    let ids = ids.map(|execution| execution["id"].as_str().unwrap().to_owned());
    let path = format!("/api/v1/executions/{}/output", ids[0]);
    let own = events(&app.get(&path).await.text())[0].id.clone();
    let later = own.replace(".1.0.0", ".2.0.0");
    let behind = own.replace(".1.0.0", ".1.5.0");
    for (id, position) in [
        (&ids[1], &own),
        (&ids[0], &later),
        (&ids[0], &behind),
        (&ids[0], &"7".to_owned()),
        (&ids[0], &"..".to_owned()),
        (&ids[0], &"x".repeat(9_000)),
    ] {
        let answer = resume(&app, id, position).await;
        answer.expect_problem(400, "about:blank");
        let path = format!("/api/v1/executions/{id}/output?after={position}");
        app.get(&path).await.expect_problem(400, "about:blank");
    }
}

#[tokio::test]
async fn a_client_that_reconnects_during_the_run_receives_each_byte_once() {
    use http_body_util::BodyExt as _;
    let app = TestApp::start().await;
    limited(
        &app,
        "echo one; echo two >&2; echo three; sleep 1h",
        json!({}),
    )
    .await;
    let posted = app
        .post("/api/v1/events", &event_of("custom.a", json!({})))
        .await
        .expect(202);
    let path = format!("/api/v1/executions?task={}", posted["task"]["number"]);
    let id = app.get(&path).await.expect(200)["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/executions/{id}/output");
    let secret = app.token(tenterhook_dispatch::Role::Viewer).await;
    // Each connection is broken after an event, until all was heard.
    let mut heard: Vec<Event> = Vec::new();
    while printed(&heard, "stdout") != "one\nthree\n" || printed(&heard, "stderr") != "two\n" {
        let after = heard.last().map_or("", |event| &event.id);
        let request = http::Request::get(format!("{path}?after={after}"))
            .header("authorization", format!("Bearer {secret}"))
            .body(axum::body::Body::empty())
            .unwrap();
        let reply = tower::ServiceExt::oneshot(app.router.clone(), request);
        let mut body = reply.await.unwrap().into_body();
        for _ in 0..2 {
            let Some(frame) = body.frame().await else {
                break;
            };
            let frame = frame.unwrap().into_data().unwrap();
            heard.extend(events(std::str::from_utf8(&frame).unwrap()));
        }
        assert!(heard.len() < 1_000, "{heard:#?}");
    }
    let rest = async {
        let last = &heard.last().unwrap().id;
        events(&resume(&app, &id, last).await.text())
    };
    let cancel = format!("/api/v1/executions/{id}/cancel");
    let (rest, ()) = tokio::join!(rest, async {
        app.call(Method::POST, &cancel)
            .await
            .send()
            .await
            .expect(202);
    });
    let rest: Vec<_> = rest.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(rest, ["attempt", "end"]);
}

/// A script that fails twice and is tried again at once.
async fn thrice(app: &TestApp) -> Value {
    let script = "echo try $HOOK_ATTEMPT; echo oops >&2; test $HOOK_ATTEMPT = 3";
    let source = app.script("thrice", script).await;
    let body = json!({
        "source": source, "event": "custom.a", "retry": {"attempts": 3, "backoff_ms": 0}
    });
    app.post("/api/v1/hooks", &body).await.expect(201);
    let id = first(app).await["id"].as_str().unwrap().to_owned();
    app.get(&format!("/api/v1/executions/{id}"))
        .await
        .expect(200)
}

#[tokio::test]
async fn every_attempt_is_listed_and_shown_with_its_output() {
    let app = TestApp::start().await;
    let execution = thrice(&app).await;
    let attempts = execution["attempts"].as_array().unwrap();
    let told: Vec<_> = attempts
        .iter()
        .map(|one| (one["attempt"].clone(), one["outcome"]["status"].clone()))
        .collect();
    let expected = [(1, 1), (2, 1), (3, 0)].map(|(a, b)| (json!(a), json!(b)));
    assert_eq!(told, expected, "{execution}");
    assert_eq!(execution["attempts_dropped"], Value::Null);
    let path = format!(
        "/api/v1/executions/{}/attempts",
        execution["id"].as_str().unwrap()
    );
    for (number, listed) in (1..).zip(attempts) {
        assert!(listed["stdout"].is_null() && listed["usage"]["fuel"].as_u64() > Some(0));
        assert!(listed["started_at"].is_string() && listed["ended_at"].is_string());
        let whole = app.get(&format!("{path}/{number}")).await.expect(200);
        assert_eq!(whole["stdout"], format!("try {number}\n"), "{whole}");
        assert_eq!(whole["stderr"], "oops\n");
        for member in ["attempt", "outcome", "usage", "started_at", "ended_at"] {
            assert_eq!(whole[member], listed[member], "{member}");
        }
    }
    for number in ["0", "4", "01", "x", "4294967296"] {
        let answer = app.get(&format!("{path}/{number}")).await;
        answer.expect_problem(404, "/problems/not-found");
    }
    // A list is as short as it was.
    let list = app.get("/api/v1/executions").await.expect(200);
    assert_eq!(list["items"][0]["attempts"], Value::Null);
}

#[tokio::test]
async fn a_redriven_execution_keeps_its_attempts() {
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
    let attempts = app.get(&path).await.expect(200)["attempts"].clone();
    assert_eq!(attempts.as_array().unwrap().len(), 2, "{attempts}");
    let before = app.get(&format!("{path}/attempts/1")).await.expect(200);
    assert_eq!(before["stdout"], "1\n", "{before}");
}

#[tokio::test]
async fn of_endless_redrives_the_newest_attempts_are_kept() {
    let app = TestApp::start().await;
    limited(&app, "echo $HOOK_ATTEMPT; false", json!({})).await;
    let execution = first(&app).await;
    let path = format!("/api/v1/executions/{}", execution["id"].as_str().unwrap());
    let attempts = 35;
    for _ in 1..attempts {
        app.call(Method::POST, &format!("{path}/redrive"))
            .await
            .send()
            .await
            .expect(202);
        app.ended(execution["task_number"].as_i64().unwrap()).await;
    }
    let shown = app.get(&path).await.expect(200);
    let listed = shown["attempts"].as_array().unwrap();
    let numbers: Vec<_> = listed.iter().map(|one| one["attempt"].clone()).collect();
    assert_eq!(
        numbers,
        (3..=attempts).map(|n| json!(n)).collect::<Vec<_>>()
    );
    assert_eq!(shown["attempts_dropped"], 2);
    app.get(&format!("{path}/attempts/2"))
        .await
        .expect_problem(404, "/problems/not-found");
}

#[tokio::test]
async fn a_long_output_of_an_earlier_attempt_is_shown_completely() {
    let app = TestApp::start().await;
    let script =
        "head -c 700000 /dev/zero | tr '\\0' x; echo $HOOK_ATTEMPT; test $HOOK_ATTEMPT = 2";
    let source = app.script("long", script).await;
    let body = json!({
        "source": source, "event": "custom.a", "retry": {"attempts": 2, "backoff_ms": 0},
        "limits": {"output_bytes": 1 << 20}
    });
    app.post("/api/v1/hooks", &body).await.expect(201);
    let id = first(&app).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/executions/{id}/attempts/1");
    let shown = app.get(&path).await.expect(200);
    let stdout = shown["stdout"].as_str().unwrap();
    assert!(stdout.len() == 700_002 && stdout.ends_with("x1\n"));
    assert_eq!(
        (&shown["attempt"], &shown["truncated"]),
        (&json!(1), &json!(false))
    );
}

#[tokio::test]
async fn a_client_that_missed_attempts_receives_them_in_order() {
    let app = TestApp::start().await;
    let execution = thrice(&app).await;
    let id = execution["id"].as_str().unwrap();
    let path = format!("/api/v1/executions/{id}/output");
    let latest = events(&app.get(&path).await.text());
    assert_eq!(printed(&latest, "stdout"), "try 3\n");
    // As if the connection had been lost in the first attempt.
    let mut position = latest[0].id.replace(".3.0.0", ".1.4.5");
    let mut heard = Vec::new();
    loop {
        let answer = resume(&app, id, &position).await;
        if answer.status == 204 {
            break;
        }
        let events = events(&answer.text());
        let end = events.last().unwrap();
        assert_eq!(end.name, "end", "{events:?}");
        heard.push((
            printed(&events, "stdout"),
            printed(&events, "stderr"),
            end.data["state"].clone(),
        ));
        position = end.id.clone();
    }
    let expected = [
        ("1\n", "", "WAITING"),
        ("try 2\n", "oops\n", "WAITING"),
        ("try 3\n", "oops\n", "FINISHED"),
    ];
    let expected = expected.map(|(out, err, state)| (out.into(), err.into(), json!(state)));
    assert_eq!(heard, expected);
}
