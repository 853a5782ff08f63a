//! Uploads through the native API: kinds, digests, limits and refusals.

use http::Method;
use serde_json::{Value, json};
use tenterhook_engine::Digest;
use tenterhook_tests_artifacts::{FRIENDLY_HELLO, FRIENDLY_HELLO_COMPONENT};

use crate::support::{Answer, TestApp};

const WASM: &str = "application/wasm";

async fn upload(app: &TestApp, name: &str, kind: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    let call = app
        .call(
            Method::POST,
            &format!("/api/v1/sources?name={name}&wait=120"),
        )
        .await;
    call.body(kind, bytes).send().await
}

/// How many of a page's sources did not come with the account.
fn own(page: &Value) -> usize {
    let items = page["items"].as_array().unwrap();
    items.iter().filter(|one| one["preloaded"] == false).count()
}

#[tokio::test]
async fn the_bytes_determine_kind_and_digest() {
    let app = TestApp::start().await;
    let module = std::fs::read(FRIENDLY_HELLO).unwrap();
    let component = std::fs::read(FRIENDLY_HELLO_COMPONENT).unwrap();
    let script = b"echo hi\n".to_vec();
    for (name, kind, media, bytes) in [
        ("m", "module", WASM, module),
        ("c", "component", WASM, component),
        ("s", "script", "text/x-shellscript", script.clone()),
        ("o", "script", "application/octet-stream", script),
    ] {
        let digest = Digest::of(&bytes).to_string();
        let answer = upload(&app, name, media, bytes.clone()).await;
        let source = answer.expect(201);
        assert_eq!(
            (&source["name"], &source["kind"]),
            (&json!(name), &json!(kind))
        );
        assert_eq!(
            (&source["digest"], &source["size_bytes"]),
            (&json!(digest), &json!(bytes.len()))
        );
        let path = format!("/api/v1/sources/{}", source["id"].as_str().unwrap());
        assert_eq!(answer.header("location"), path);
        assert_eq!(app.get(&path).await.expect(200), source);
        assert_eq!(
            app.get(&format!("/api/v1/sources/{}", source["number"]))
                .await
                .expect(200),
            source
        );
        assert_eq!(app.get(&format!("{path}/bytes")).await.body, bytes);
    }
    let list = app.get("/api/v1/sources?limit=3").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
    let next = list["next"].as_str().unwrap();
    let rest = app
        .get(&format!("/api/v1/sources?after={next}"))
        .await
        .expect(200);
    assert_eq!((own(&rest), &rest["next"]), (1, &json!(null)));
}

#[tokio::test]
async fn a_faulty_script_is_accepted_with_warnings() {
    let app = TestApp::start().await;
    let script = "echo a\nqm stop 1\nif then fi\n";
    let media = "text/x-shellscript";
    let source = upload(&app, "s", media, script).await.expect(201);
    let warnings = source["warnings"].as_array().unwrap();
    assert_eq!(
        warnings[0],
        json!({"line": 2, "column": 1, "message": "the sandbox has no command `qm`"})
    );
    assert_eq!(
        (warnings.len(), &warnings[1]["line"]),
        (2, &json!(3)),
        "{warnings:?}"
    );
    let message = warnings[1]["message"].as_str().unwrap();
    assert!(message.starts_with("syntax error"), "{message}");

    let path = format!("/api/v1/sources/{}", source["id"].as_str().unwrap());
    let replace = async |path: &str, text: &str| {
        let call = app.call(Method::PUT, path).await;
        call.body(media, text).send().await
    };
    let replaced = replace(&path, "pct list").await.expect(200);
    assert_eq!(replaced["warnings"][0]["line"], 1, "{replaced}");
    let sound = replace(&path, "echo sound").await.expect(200);
    assert_eq!(sound.get("warnings"), None);

    let later = replace(&format!("{path}?wait=0"), script).await.expect(202);
    let place = format!("/api/v1/uploads/{}?wait=120", later["id"].as_str().unwrap());
    let over = app.get(&place).await.expect(200);
    assert_eq!(over["state"], "ready", "{over}");
    assert_eq!(over["warnings"], source["warnings"]);
}

#[tokio::test]
async fn a_file_that_is_not_a_program_is_refused_with_digest_and_reason() {
    let app = TestApp::start().await;
    let truncated = std::fs::read(FRIENDLY_HELLO).unwrap()[..200].to_vec();
    let module = |sections: &[u8]| [b"\0asm\x01\0\0\0", sections].concat();
    // One function type, an import of `env.abort`, and the function itself exported as `_start`.
    let import =
        module(b"\x01\x04\x01\x60\0\0\x02\x0d\x01\x03env\x05abort\0\0\x07\x0a\x01\x06_start\0\0");
    let reactor = module(b"\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b");
    // A memory with the 64-bit flag.
    let memory64 = module(b"\x05\x03\x01\x04\x01");
    for (media, bytes, words) in [
        (WASM, truncated, "module"),
        (WASM, b"GIF89a".to_vec(), "not WebAssembly"),
        (WASM, import, "env::abort"),
        (WASM, reactor, "_start"),
        (WASM, memory64, "memory64"),
        (
            "text/x-shellscript",
            b"#!/usr/bin/env python3\n".to_vec(),
            "python3",
        ),
        (
            "text/x-shellscript",
            b"\x89PNG\r\n\x1a\n\xff\xfe".to_vec(),
            "not text",
        ),
    ] {
        let digest = Digest::of(&bytes).to_string();
        let problem = upload(&app, "x", media, bytes)
            .await
            .expect_problem(422, "/problems/invalid-program");
        assert_eq!(problem["digest"], digest, "{problem}");
        assert!(
            problem["reason"].as_str().unwrap().contains(words),
            "{problem}"
        );
    }
    assert_eq!(own(&app.get("/api/v1/sources").await.expect(200)), 0);
}

#[tokio::test]
async fn a_media_type_that_is_not_a_programs_is_415() {
    let app = TestApp::start().await;
    for media in ["application/json", "text/plain", "image/png"] {
        let answer = upload(&app, "x", media, "echo hi").await;
        let problem = answer.expect_problem(415, "/problems/unreadable-body");
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .contains("application/wasm"),
            "{problem}"
        );
    }
    let wasm = std::fs::read(FRIENDLY_HELLO).unwrap();
    upload(&app, "x", "text/x-shellscript", wasm)
        .await
        .expect_problem(415, "/problems/unreadable-body");
}

#[tokio::test]
async fn uploads_beyond_the_limit_are_413_and_name_it() {
    let app = TestApp::start().await;
    let script = "#\n".repeat(48 * 1024);
    upload(&app, "most", "text/x-shellscript", script.clone())
        .await
        .expect(201);
    let answer = upload(&app, "more", "text/x-shellscript", script + "#").await;
    let problem = answer.expect_problem(413, "/problems/unreadable-body");
    assert_eq!(problem["limit_bytes"], 98_304);
    let module = [&b"\0asm\x01\0\0\0"[..], &vec![0; 32 << 20]].concat();
    let answer = upload(&app, "huge", WASM, module).await;
    assert_eq!(
        answer.expect_problem(413, "/problems/unreadable-body")["limit_bytes"],
        32 << 20
    );
}

#[tokio::test]
async fn what_was_sent_as_webassembly_and_is_none_is_no_script_that_is_too_large() {
    let app = TestApp::start().await;
    let junk = "x".repeat(200 * 1024);
    let refused = upload(&app, "junk", "application/wasm", junk).await;
    let problem = refused.expect_problem(422, "/problems/invalid-program");
    let reason = problem["reason"].as_str().unwrap();
    assert!(reason.contains("not WebAssembly"), "{reason}");
}

#[tokio::test]
async fn a_source_has_a_unique_name_without_control_characters() {
    let app = TestApp::start().await;
    upload(&app, "a", "text/x-shellscript", "true")
        .await
        .expect(201);
    let problem = upload(&app, "a", "text/x-shellscript", "false")
        .await
        .expect_problem(409, "/problems/name-taken");
    assert_eq!(problem["name"], "a");
    for name in ["", "%1B%5B2J", &"x".repeat(300)] {
        let answer = upload(&app, name, "text/x-shellscript", "true").await;
        answer.expect_problem(422, "/problems/invalid-request");
    }
    let call = app.call(Method::POST, "/api/v1/sources").await;
    let problem = call
        .body("text/x-shellscript", "true")
        .send()
        .await
        .expect_problem(422, "/problems/invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "?name");
}

#[tokio::test]
async fn a_source_can_be_removed_once_no_hook_uses_it() {
    let app = TestApp::start().await;
    let number = app.script("a", "true").await;
    let hook = app.hook(number, "OnAudit").await;
    let path = format!("/api/v1/sources/{number}");
    app.delete(&path)
        .await
        .expect_problem(409, "/problems/conflict");
    app.delete(&format!("/api/v1/hooks/{}", hook["id"].as_str().unwrap()))
        .await
        .expect(204);
    app.delete(&path).await.expect(204);
    let problem = app
        .delete(&path)
        .await
        .expect_problem(404, "/problems/not-found");
    assert_eq!(
        (&problem["noun"], &problem["id"]),
        (&json!("source"), &json!(number.to_string()))
    );
}

async fn put(app: &TestApp, key: &Value, tag: Option<&str>, bytes: &str) -> Answer {
    let path = format!("/api/v1/sources/{}", key.to_string().trim_matches('"'));
    let mut call = app.call(Method::PUT, &path).await;
    if let Some(tag) = tag {
        call = call.header("if-match", tag);
    }
    call.body("application/octet-stream", bytes).send().await
}

#[tokio::test]
async fn a_source_is_replaced_and_its_hooks_run_the_new_program() {
    let app = TestApp::start().await;
    let number = app.script("a", "echo old").await;
    app.hook(number, "custom.a").await;
    let answer = put(&app, &json!(number), None, "echo new").await;
    let source = answer.expect(200);
    let digest = Digest::of(b"echo new").to_string();
    assert_eq!(
        (&source["digest"], &source["revision"], &source["number"]),
        (&json!(digest), &json!(2), &json!(number))
    );
    assert_eq!(answer.header("etag"), format!("\"{digest}\""));
    let fired = app.fire("custom.a", json!({})).await;
    assert_eq!(fired["task"]["executions"][0]["stdout"], "new\n");
    // The same bytes again are no new revision.
    let again = put(&app, &source["id"], Some(answer.header("etag")), "echo new").await;
    assert_eq!(again.expect(200)["revision"], 2);
}

#[tokio::test]
async fn concurrent_replacements_of_a_source_are_detected() {
    let app = TestApp::start().await;
    let number = json!(app.script("a", "echo old").await);
    let tag = |bytes: &[u8]| format!("\"{}\"", Digest::of(bytes));
    let old = tag(b"echo old");
    put(&app, &number, Some(&old), "echo mine")
        .await
        .expect(200);
    for stale in [&old, "\"x\"", "", &format!("W/{}", tag(b"echo mine"))] {
        let answer = put(&app, &number, Some(stale), "echo yours").await;
        let problem = answer.expect_problem(412, "/problems/changed-meanwhile");
        assert_eq!(
            (&problem["noun"], &problem["id"]),
            (&json!("source"), &json!("a"))
        );
    }
    let either = format!("{old}, {}", tag(b"echo mine"));
    put(&app, &number, Some(&either), "echo yours")
        .await
        .expect(200);
    put(&app, &number, Some("*"), "echo ours").await.expect(200);
}

#[tokio::test]
async fn replacing_has_the_same_limits_and_refusals_as_uploading() {
    let app = TestApp::start().await;
    let number = app.script("a", "true").await;
    let path = format!("/api/v1/sources/{number}");
    let send = async |media: &str, bytes: Vec<u8>| {
        let call = app.call(Method::PUT, &path).await;
        call.body(media, bytes).send().await
    };
    let long = "#\n".repeat(48 * 1024) + "#";
    let problem = send("text/x-shellscript", long.into())
        .await
        .expect_problem(413, "/problems/unreadable-body");
    assert_eq!(problem["limit_bytes"], 98_304);
    send("text/plain", b"true".to_vec())
        .await
        .expect_problem(415, "/problems/unreadable-body");
    let problem = send(WASM, b"\0asm\x01\0\0\0\xff".to_vec())
        .await
        .expect_problem(422, "/problems/invalid-program");
    assert!(problem["digest"].is_string(), "{problem}");
    // A module may take the place of a script.
    let module = std::fs::read(FRIENDLY_HELLO).unwrap();
    assert_eq!(send(WASM, module).await.expect(200)["kind"], "module");
}

#[tokio::test]
async fn members_replace_only_sources_of_their_own_account() {
    let app = TestApp::start().await;
    let number = app.script("a", "true").await;
    let (_, stranger) = app.tenant("other").await;
    let theirs = app
        .get(&format!("/api/v1/sources/{number}"))
        .await
        .expect(200);
    let path = format!("/api/v1/sources/{}", theirs["id"].as_str().unwrap());
    let call = app.call_as(&stranger, Method::PUT, &path).await;
    call.body(WASM, "")
        .send()
        .await
        .expect_problem(404, "/problems/not-found");
    let viewer = app.token(tenterhook_dispatch::Role::Viewer).await;
    let call = app.call_as(&viewer, Method::PUT, &path).await;
    call.body("application/octet-stream", "false")
        .send()
        .await
        .expect_problem(403, "/problems/forbidden");
    assert_eq!(app.get(&path).await.expect(200), theirs);
    let list = app.get("/api/v1/sources").await.expect(200);
    let items = list["items"].as_array().unwrap();
    let preloaded = items.iter().find(|one| one["preloaded"] == true).unwrap();
    put(&app, &preloaded["id"], None, "false")
        .await
        .expect_problem(403, "/problems/read-only");
}

#[tokio::test]
async fn a_source_is_found_by_its_name() {
    let app = TestApp::start().await;
    app.script("a", "true").await;
    let number = app.script("b", "true").await;
    let list = app.get("/api/v1/sources?name=b").await.expect(200);
    let numbers: Vec<_> = list["items"].as_array().unwrap().iter().collect();
    assert_eq!(numbers.len(), 1);
    assert_eq!(numbers[0]["number"], number);
    let none = app.get("/api/v1/sources?name=c").await.expect(200);
    assert_eq!(none["items"], json!([]));
}
