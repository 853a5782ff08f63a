//! CloudEvents in all three modes, and waiting for what becomes of them.

use http::Method;
use serde_json::{Value, json};
use tenterhook_tests_artifacts::{FRIENDLY_HELLO, handmade};

use crate::support::{LONG, TestApp, event_of, uuid};

#[tokio::test]
async fn a_script_and_a_module_run_for_an_event_and_their_usage_is_shown() {
    let app = TestApp::start().await;
    let script = app
        .script("greet", "jq -r .service; echo oops >&2; exit 3")
        .await;
    let module = app
        .call(Method::POST, "/api/v1/sources?name=hello&wait=120")
        .await;
    let module = module
        .body("application/wasm", std::fs::read(FRIENDLY_HELLO).unwrap())
        .send()
        .await;
    let module = module.expect(201)["number"].as_i64().unwrap();
    app.hook(script, "custom.start").await;
    app.hook(module, "custom.start").await;

    let posted = app.fire("custom.start", json!({"service": "osd.3"})).await;
    assert_eq!(posted["event"]["data"]["service"], "osd.3");
    let task = &posted["task"];
    assert_eq!(
        (&task["state"], &task["allow"]),
        (&json!("FAILED"), &json!(true)),
        "{posted}"
    );
    let executions = task["executions"].as_array().unwrap();
    assert_eq!(executions.len(), 2);
    let shell = &executions[0];
    assert_eq!(shell["outcome"], json!({"kind": "exited", "status": 3}));
    assert_eq!(
        (&shell["stdout"], &shell["stderr"]),
        (&json!("osd.3\n"), &json!("oops\n"))
    );
    assert_eq!(
        (&shell["attempt"], &shell["truncated"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(
        executions[1]["outcome"],
        json!({"kind": "exited", "status": 0})
    );
    for execution in executions {
        let usage = &execution["usage"];
        for member in [
            "fuel",
            "memory_peak_bytes",
            "wall_us",
            "cpu_us",
            "host_calls",
            "output_bytes",
        ] {
            assert!(usage[member].is_u64(), "{member}: {usage}");
        }
        assert!(usage["fuel"].as_u64().unwrap() > 0);
        let path = format!("/api/v1/executions/{}", execution["id"].as_str().unwrap());
        let mut alone = app.get(&path).await.expect(200);
        // A task does not list them.
        let attempts = alone.as_object_mut().unwrap().remove("attempts").unwrap();
        assert_eq!(attempts[0]["usage"], *usage);
        assert_eq!(alone, *execution);
    }
}

#[tokio::test]
async fn an_event_is_202_once_it_is_stored_and_its_task_can_be_followed() {
    let app = TestApp::start().await;
    let script = app.script("a", "true").await;
    app.hook(script, "custom.a").await;
    let posted = app
        .post("/api/v1/events", &event_of("custom.a", json!(1)))
        .await
        .expect(202);
    let task = &posted["task"];
    let number = task["number"].as_i64().unwrap();
    app.ended(number).await;
    let path = format!("/api/v1/tasks/{}", task["id"].as_str().unwrap());
    let shown = app.get(&path).await.expect(200);
    assert_eq!(
        (&shown["state"], &shown["allow"]),
        (&json!("FINISHED"), &json!(true))
    );
    assert_eq!(
        app.get(&format!("/api/v1/tasks/{number}"))
            .await
            .expect(200),
        shown
    );
}

#[tokio::test]
async fn a_wait_that_runs_out_is_202_and_the_task_goes_on() {
    let app = TestApp::start().await;
    let script = app.script("a", "sleep 1h").await;
    app.hook(script, "custom.a").await;
    let posted = app
        .post("/api/v1/events?wait=0.01", &event_of("custom.a", json!(1)))
        .await
        .expect(202);
    let path = format!("/api/v1/tasks/{}/cancel", posted["task"]["number"]);
    app.post(&path, &json!({})).await.expect(202);
    app.ended(posted["task"]["number"].as_i64().unwrap()).await;
}

#[tokio::test]
async fn an_event_without_hooks_is_finished_at_once_and_allowed() {
    let app = TestApp::start().await;
    let posted = app.fire("PreFormatDisk", json!({})).await;
    assert_eq!(
        (&posted["task"]["state"], &posted["task"]["allow"]),
        (&json!("FINISHED"), &json!(true))
    );
}

#[tokio::test]
async fn a_failing_hook_denies_what_is_about_to_happen() {
    let app = TestApp::start().await;
    let script = app
        .script(
            "deny",
            "echo '{\"allow\":false,\"reason\":\"disk in use\"}' > /verdict.json",
        )
        .await;
    app.hook(script, "PreFormatDisk").await;
    let task = &app
        .fire("PreFormatDisk", json!({"device": "/dev/sdc"}))
        .await["task"];
    assert_eq!(
        (&task["allow"], &task["reasons"][0]["reason"]),
        (&json!(false), &json!("disk in use")),
        "{task}"
    );
    assert_eq!(task["executions"][0]["verdict"]["allow"], false);
}

#[tokio::test]
async fn a_status_whose_last_byte_is_zero_denies_as_any_other_does() {
    let app = TestApp::start().await;
    let module = app
        .call(Method::POST, "/api/v1/sources?name=leave&wait=120")
        .await
        .body("application/wasm", handmade::exit("wasi_snapshot_preview1"))
        .send()
        .await;
    let module = module.expect(201)["number"].as_i64().unwrap();
    for status in ["0", "1", "256", "512", "1024", "4294967040"] {
        let body = json!({"source": module, "event": "PreFormatDisk", "args": [status],
            "failure_policy": "closed", "retry": {"attempts": 1}});
        let hook = app.post("/api/v1/hooks", &body).await.expect(201);
        let task = &app.fire("PreFormatDisk", json!({})).await["task"];
        assert_eq!(task["allow"], status == "0", "{status}: {task}");
        let path = format!("/api/v1/hooks/{}", hook["id"].as_str().unwrap());
        app.delete(&path).await.expect(204);
    }
}

#[tokio::test]
async fn the_same_event_again_answers_with_the_first_task() {
    let app = TestApp::start().await;
    let event = event_of("OnAudit", json!({}));
    let first = app.post("/api/v1/events", &event).await.expect(202);
    let again = app.post("/api/v1/events", &event).await.expect(202);
    assert_eq!(first["task"]["id"], again["task"]["id"]);
    assert_eq!(
        (&first["repeated"], &again["repeated"]),
        (&json!(false), &json!(true))
    );
}

#[tokio::test]
async fn headers_carry_the_attributes_in_binary_mode() {
    let app = TestApp::start().await;
    let script = app.script("a", "cat; jq -r .subject /event.json").await;
    app.hook(script, "custom.a").await;
    let call = app
        .call(Method::POST, &format!("/api/v1/events?wait={LONG}"))
        .await;
    let answer = call
        .header("ce-specversion", "1.0")
        .header("ce-id", &uuid())
        .header("ce-source", "/tests")
        .header("ce-type", "custom.a")
        .header("ce-subject", "caf%C3%A9")
        .json(&json!({"n": 1}))
        .send()
        .await;
    let posted = answer.expect(200);
    let stdout = posted["task"]["executions"][0]["stdout"].as_str().unwrap();
    assert!(stdout.starts_with("{\"n\":1}"), "{stdout}");
    assert!(stdout.ends_with("café\n"), "{stdout}");
}

#[tokio::test]
async fn a_batch_is_taken_whole_or_not_at_all() {
    let app = TestApp::start().await;
    let script = app.script("a", "cat").await;
    app.hook(script, "custom.a").await;
    let post = |path: String, batch: Value| {
        let app = &app;
        async move {
            let call = app.call(Method::POST, &path).await;
            call.body("application/cloudevents-batch+json", batch.to_string())
                .send()
                .await
        }
    };
    let batch = json!([
        event_of("custom.a", json!("one")),
        event_of("custom.a", json!("two"))
    ]);
    let posted = post(format!("/api/v1/events?wait={LONG}"), batch)
        .await
        .expect(200);
    let stdout: Vec<&Value> = posted["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["task"]["executions"][0]["stdout"])
        .collect();
    assert_eq!(stdout, [&json!("\"one\""), &json!("\"two\"")]);

    let before = app.get("/api/v1/tasks").await.json()["items"]
        .as_array()
        .unwrap()
        .len();
    for (bad, pointer) in [
        (
            json!({"specversion": "1.0", "id": "1", "source": "/s"}),
            "/1/type",
        ),
        (event_of("OnNothing", json!(1)), "/1/type"),
    ] {
        let answer = post(
            "/api/v1/events".into(),
            json!([event_of("custom.a", json!(1)), bad]),
        )
        .await;
        let problem = answer.expect_problem(422, "/problems/invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let after = app.get("/api/v1/tasks").await.json()["items"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(before, after);
    assert_eq!(
        post("/api/v1/events".into(), json!([])).await.expect(202)["items"],
        json!([])
    );
}

#[tokio::test]
async fn what_is_wrong_with_an_event_is_named() {
    let app = TestApp::start().await;
    let with = |name: &str, value: Value| {
        let mut event = event_of("custom.a", json!(1));
        event[name] = value;
        event
    };
    for (event, pointer) in [
        (with("specversion", json!("0.3")), "/specversion"),
        (with("id", json!("")), "/id"),
        (with("id", json!("a\u{1b}[2J")), "/id"),
        (with("source", json!(7)), "/source"),
        (with("type", json!("OnNothing")), "/type"),
        (with("time", json!("yesterday")), "/time"),
        (with("serverid", json!(99)), "/serverid"),
        (with("nested", json!({"a": 1})), "/nested"),
        (with("Upper", json!("x")), ""),
        (with("data_base64", json!("AA==")), "/data_base64"),
        (json!("event"), ""),
    ] {
        let answer = app.post("/api/v1/events", &event).await;
        let problem = answer.expect_problem(422, "/problems/invalid-request");
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{event}: {problem}"
        );
    }
    for wait in ["-1", "121", "x", "NaN", "inf"] {
        let answer = app
            .post(
                &format!("/api/v1/events?wait={wait}"),
                &event_of("custom.a", json!(1)),
            )
            .await;
        let problem = answer.expect_problem(422, "/problems/invalid-request");
        assert_eq!(
            problem["errors"][0]["pointer"], "?wait",
            "{wait}: {problem}"
        );
    }
}

#[tokio::test]
async fn other_forms_of_events_are_415_and_too_large_ones_413() {
    let app = TestApp::start().await;
    for kind in [
        "text/plain",
        "application/cloudevents+avro",
        "application/x-www-form-urlencoded",
    ] {
        let call = app.call(Method::POST, "/api/v1/events").await;
        call.body(kind, "x")
            .send()
            .await
            .expect_problem(415, "/problems/unreadable-body");
    }
    let large = event_of("custom.a", json!("x".repeat(300_000)));
    let problem = app
        .post("/api/v1/events", &large)
        .await
        .expect_problem(413, "/problems/unreadable-body");
    assert_eq!(problem["limit_bytes"], 262_144);
    let call = app.call(Method::POST, "/api/v1/events").await;
    call.body("application/json", "{")
        .send()
        .await
        .expect_problem(400, "/problems/unreadable-body");
    let deep = "[".repeat(100_000);
    let call = app.call(Method::POST, "/api/v1/events").await;
    call.body("application/json", deep)
        .send()
        .await
        .expect_problem(400, "/problems/unreadable-body");
}
