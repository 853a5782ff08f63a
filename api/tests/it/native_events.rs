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
async fn a_wait_that_times_out_is_202_and_the_task_continues() {
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
async fn a_failing_hook_denies_the_pending_operation() {
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
async fn a_status_whose_low_byte_is_zero_denies_like_any_other() {
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
async fn the_same_event_again_returns_the_first_task() {
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

/// Data that no parser hands on unchanged: numbers, order, white space, escapes.
const ODD_DATA: &str = r#"{ "z":12345678901234567890123,"a":1.10 , "far":1e400,"cut":"\ud83d caf\u00e9","$serde_json::private::RawValue":"{","z":1}"#;

#[tokio::test]
async fn data_reaches_the_hook_and_the_reply_byte_for_byte_in_every_mode() {
    let app = TestApp::start().await;
    let source = app.script("a", "cat; cat /event.json >&2").await;
    app.hook(source, "custom.a").await;
    let path = format!("/api/v1/events?wait={LONG}");
    let event = |id: &str| {
        format!(
            r#"{{"specversion":"1.0","data" : {ODD_DATA} ,"id":"{id}","source":"/t","type":"custom.a"}}"#
        )
    };
    let structured = app
        .call(Method::POST, &path)
        .await
        .body("application/cloudevents+json", event("1"))
        .send()
        .await;
    let batch = app
        .call(Method::POST, &path)
        .await
        .body(
            "application/cloudevents-batch+json",
            format!("[{}, {}]", event("2"), event("3")),
        )
        .send()
        .await;
    // In binary mode the body is the data, with what is around its value.
    let body = format!("\n {ODD_DATA}\r\n");
    let binary = app
        .call(Method::POST, &path)
        .await
        .header("ce-specversion", "1.0")
        .header("ce-id", "4")
        .header("ce-source", "/t")
        .header("ce-type", "custom.a")
        .body("application/json", body.clone())
        .send()
        .await;
    for (answer, data) in [
        (structured, ODD_DATA),
        (batch, ODD_DATA),
        (binary, body.as_str()),
    ] {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let shown = format!(r#""data":{data}}}"#);
        let stdout = format!(r#""stdout":{}"#, Value::from(data));
        let text = answer.text();
        assert!(text.contains(&shown), "{text}");
        assert!(text.contains(&stdout), "{text}");
        let file = Value::from(shown).to_string();
        assert!(text.contains(file.trim_matches('"')), "{text}");
    }
}

#[tokio::test]
async fn a_parameter_keeps_the_text_of_its_number() {
    let app = TestApp::start().await;
    let source = app.script("a", "env | grep ^HOOK_PARAM | sort").await;
    app.hook(source, "custom.a").await;
    let answer = app
        .call(Method::POST, &format!("/api/v1/events?wait={LONG}"))
        .await
        .body(
            "application/cloudevents+json",
            format!(
                r#"{{"specversion":"1.0","id":"1","source":"/t","type":"custom.a","data":{ODD_DATA}}}"#
            ),
        )
        .send()
        .await;
    // Of a repeated name the last counts, and a lone surrogate makes no variable.
    let expected = r#""stdout":"HOOK_PARAM_A=1.10\nHOOK_PARAM_FAR=1e400\nHOOK_PARAM_Z=1\nHOOK_PARAM__SERDE_JSON__PRIVATE__RAW_VALUE={\n""#;
    assert!(answer.text().contains(expected), "{}", answer.text());
}

#[tokio::test]
async fn verdicts_and_log_lines_keep_their_text_wherever_they_are_shown() {
    let app = TestApp::start().await;
    let verdict = r#""big":12345678901234567890123,"far":1e400,"price":1.10"#;
    let script = format!(
        "echo '{{{verdict}}}' > /verdict.json\n\
         echo '{{\"level\":\"info\",\"message\":\"m\",{verdict}}}' >&2\n"
    );
    let source = app.script("a", &script).await;
    app.hook(source, "custom.a").await;
    let event = event_of("custom.a", json!(1));
    let posted = app
        .post(&format!("/api/v1/events?wait={LONG}"), &event)
        .await
        .text();
    for shown in ["result", "verdict"] {
        assert!(
            posted.contains(&format!(r#""{shown}":{{{verdict}}}"#)),
            "{posted}"
        );
    }
    assert!(
        posted.contains(&format!(r#""message":"m",{verdict}}}"#)),
        "{posted}"
    );
    for path in [
        "/api/v1/executions",
        "/api/tasks",
        "/api/tasks?pagination=%7B%7D",
    ] {
        let list = app.get(path).await.text();
        assert!(list.contains(verdict), "{path}: {list}");
    }
}

#[tokio::test]
async fn invalid_base64_is_refused() {
    let app = TestApp::start().await;
    for text in [" QUJD", "QUJD\n", "QUI", "QUI==", "-_8=", "?"] {
        let mut event = event_of("custom.a", json!(null));
        event["data_base64"] = text.into();
        let answer = app.post("/api/v1/events", &event).await;
        let problem = answer.expect_problem(422, "/problems/invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], "/data_base64", "{text:?}");
        let batch = json!([event_of("custom.a", json!(1)), event]);
        let call = app.call(Method::POST, "/api/v1/events").await;
        let answer = call
            .body("application/cloudevents-batch+json", batch.to_string())
            .send()
            .await;
        let problem = answer.expect_problem(422, "/problems/invalid-request");
        assert_eq!(
            problem["errors"][0]["pointer"], "/1/data_base64",
            "{text:?}"
        );
    }
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
        (event_of("a\nb", json!(1)), "/1/type"),
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
async fn invalid_members_of_an_event_are_named() {
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
        (with("type", json!("")), "/type"),
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
async fn other_media_types_are_415_and_too_large_events_413() {
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

#[tokio::test]
async fn another_producers_event_runs_the_hooks_for_its_type_and_its_prefix() {
    let app = TestApp::start().await;
    let script = app.script("a", "echo $HOOK_EVENT").await;
    let hook = app.hook(script, "com.github.*").await;
    assert_eq!(
        (&hook["event"], &hook["failure_policy"]),
        (&json!("com.github.*"), &json!("open"))
    );
    app.hook(script, "com.github.push").await;
    let posted = app
        .fire("com.github.push", json!({"ref": "refs/heads/main"}))
        .await;
    let executions = posted["task"]["executions"].as_array().unwrap();
    assert_eq!(executions.len(), 2, "{posted}");
    assert_eq!(executions[0]["stdout"], "com.github.push\n");
    let posted = app
        .fire("google.cloud.audit.log.v1.written", json!({}))
        .await;
    assert_eq!(posted["task"]["executions"], json!([]));
}

#[tokio::test]
async fn a_reused_event_id_with_other_content_is_409_and_reveals_nothing() {
    let app = TestApp::start().await;
    let mut event = event_of("custom.a", json!({"amount": 1}));
    app.post("/api/v1/events", &event).await.expect(202);
    event["time"] = json!("2030-01-01T00:00:00Z");
    app.post("/api/v1/events", &event).await.expect(202);
    event["data"] = json!({"amount": 20_001});
    for path in ["/api/v1/events", "/api/v1/events?wait=60"] {
        let answer = app.post(path, &event).await;
        let problem = answer.expect_problem(409, "/problems/conflict");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("different content"), "{problem}");
        assert!(!problem.to_string().contains("20001"), "{problem}");
    }
    let call = app.call(Method::POST, "/api/v1/events").await;
    let batch = json!([event_of("custom.a", json!(1)), event]).to_string();
    let answer = call
        .body("application/cloudevents-batch+json", batch)
        .send()
        .await;
    let problem = answer.expect_problem(409, "/problems/conflict");
    assert!(
        problem["detail"].as_str().unwrap().contains("at index 1"),
        "{problem}"
    );
    let tasks = app.get("/api/v1/tasks").await.expect(200);
    assert_eq!(tasks["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_member_that_is_not_a_parameter_is_reported_with_the_execution_and_in_its_log() {
    let app = TestApp::start().await;
    let script = app.script("a", "echo ${HOOK_PARAM_LONG:-none}").await;
    app.hook(script, "custom.a").await;
    let posted = app
        .fire(
            "custom.a",
            json!({"long": "x".repeat(40_000), "fooBar": 1, "foo-bar": 2}),
        )
        .await;
    let execution = &posted["task"]["executions"][0];
    assert_eq!(execution["stdout"], "none\n");
    let warnings = execution["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 2, "{execution}");
    assert!(
        warnings
            .iter()
            .any(|one| one.as_str().unwrap().contains("`long`"))
    );
    assert_eq!(
        execution["logs"][0],
        json!({"level": "warn", "message": warnings[0], "source": "tenterhook"})
    );
    let path = format!("/api/v1/executions/{}", execution["id"].as_str().unwrap());
    let mut alone = app.get(&path).await.expect(200);
    // A task does not list them.
    alone.as_object_mut().unwrap().remove("attempts").unwrap();
    assert_eq!(alone, *execution);
    let plain = app.fire("custom.a", json!({"short": 1})).await;
    assert!(
        plain["task"]["executions"][0].get("warnings").is_none(),
        "{plain}"
    );
}

#[tokio::test]
async fn an_extension_attribute_is_text_a_boolean_or_a_whole_number_of_32_bits() {
    let app = TestApp::start().await;
    let post = async |value: &str| {
        let id = uuid();
        let event = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"/t","type":"custom.a","amount":{value}}}"#
        );
        let call = app.call(Method::POST, "/api/v1/events").await;
        let kind = "application/cloudevents+json";
        call.body(kind, event).send().await
    };
    for value in ["1", "-2147483648", "2147483647", "true", r#""1.10""#] {
        let posted = post(value).await.expect(202);
        assert_eq!(posted["event"]["amount"].to_string(), value);
    }
    for value in [
        "1.10",
        "2147483648",
        "12345678901234567890123",
        "1e400",
        "1e2",
        "[]",
        "{}",
    ] {
        let problem = post(value)
            .await
            .expect_problem(422, "/problems/invalid-request");
        assert!(problem.to_string().contains("amount"), "{value}: {problem}");
    }
    let posted = post("null").await.expect(202);
    assert!(posted["event"].get("amount").is_none(), "{posted}");
}

#[tokio::test]
async fn a_member_that_can_be_no_variable_is_reported_in_the_warnings() {
    let app = TestApp::start().await;
    let script = app.script("show", "env | grep -c HOOK_PARAM").await;
    app.hook(script, "custom.a").await;
    let event = format!(
        r#"{{"specversion":"1.0","id":"{}","source":"/t","type":"custom.a","data":{{"a\ud800b":1,"x":"a\u0000b","ok":2}}}}"#,
        uuid()
    );
    // The response has the data as it was sent, which no value holds.
    let call = app.call(Method::POST, "/api/v1/events?wait=60").await;
    let kind = "application/cloudevents+json";
    call.body(kind, event).send().await;
    let list = app.get("/api/v1/executions").await.expect(200);
    let id = list["items"][0]["id"].as_str().unwrap();
    let execution = app.get(&format!("/api/v1/executions/{id}")).await;
    let execution = execution.expect(200);
    assert_eq!(execution["stdout"], "1\n");
    let warnings = execution["warnings"].to_string();
    assert!(
        warnings.contains("`x` is not a parameter: its value has a NUL"),
        "{warnings}"
    );
    assert!(
        warnings.contains("names are not text, 1 in all"),
        "{warnings}"
    );
}
