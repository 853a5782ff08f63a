//! Uploads at the native face: kinds, digests, limits and refusals.

use http::Method;
use serde_json::{Value, json};
use tenterhook_engine::Digest;
use tenterhook_tests_artifacts::{FRIENDLY_HELLO, FRIENDLY_HELLO_COMPONENT};

use crate::support::{Answer, TestApp};

const WASM: &str = "application/wasm";

async fn upload(app: &TestApp, name: &str, kind: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    let call = app
        .call(Method::POST, &format!("/api/v1/sources?name={name}"))
        .await;
    call.body(kind, bytes).send().await
}

/// How many of a page's sources did not come with the account.
fn own(page: &Value) -> usize {
    let items = page["items"].as_array().unwrap();
    items.iter().filter(|one| one["preloaded"] == false).count()
}

#[tokio::test]
async fn the_bytes_tell_the_kind_and_the_digest_is_theirs() {
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
async fn what_is_no_program_is_refused_with_digest_and_reason() {
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
async fn a_media_type_that_is_no_program_is_415() {
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
async fn uploads_beyond_their_limit_are_413_and_name_it() {
    let app = TestApp::start().await;
    let script = "#\n".repeat(48 * 1024);
    upload(&app, "most", "text/x-shellscript", script.clone())
        .await
        .expect(201);
    let answer = upload(&app, "more", "text/x-shellscript", script + "#").await;
    let problem = answer.expect_problem(413, "/problems/unreadable-body");
    assert_eq!(problem["limit_bytes"], 98_304);
    let module = [&b"\0asm\x01\0\0\0"[..], &vec![0; 24 << 20]].concat();
    let answer = upload(&app, "huge", WASM, module).await;
    assert_eq!(
        answer.expect_problem(413, "/problems/unreadable-body")["limit_bytes"],
        24 << 20
    );
}

#[tokio::test]
async fn a_source_has_a_name_of_its_own_without_control_characters() {
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
async fn a_source_goes_once_no_hook_needs_it() {
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
