//! Every row of Astra's table of problems, as it is reached over HTTP, and the
//! order in which a request is checked.

use http::Method;
use serde_json::json;
use tenterhook_dispatch::{NewToken, Role, Switch};

use crate::astra_support::{Astra, HOOKS, SOURCES, base64, source, source_change, with};

const NOBODY: &str = "0b7c1b3e-5a41-4f4c-9d8e-2f6a7c8d9e0f";

#[tokio::test]
async fn the_token_is_checked_first_then_the_account_then_the_role() {
    let astra = Astra::start().await;
    let bad = format!("/accounts/{NOBODY}{SOURCES}?nonsense=1");
    let call = astra.app.call_as("x", Method::POST, &bad).await;
    call.anonymous()
        .body("text/plain", "{")
        .send()
        .await
        .expect_astra(401, 3);
    let call = astra.app.call_as("th_wrong", Method::POST, &bad).await;
    call.body("text/plain", "{")
        .send()
        .await
        .expect_astra(401, 4);
    let viewer = astra.app.token(Role::Viewer).await;
    for path in [
        &bad,
        &bad.replace(NOBODY, "x"),
        &bad.replace(NOBODY, &NOBODY.to_uppercase()),
    ] {
        let call = astra.app.call_as(&viewer, Method::POST, path).await;
        call.body("text/plain", "{")
            .send()
            .await
            .expect_astra(404, 2);
    }
    let foreign = astra
        .app
        .dispatcher
        .accounts()
        .create("other")
        .await
        .unwrap();
    let path = bad.replace(NOBODY, &foreign.id.to_string());
    for method in [Method::GET, Method::POST] {
        let call = astra.app.call_as(&astra.owner, method, &path).await;
        call.send().await.expect_astra(403, 11);
    }
    let path = astra.path(&format!("{SOURCES}?nonsense=1"));
    let call = astra.app.call_as(&viewer, Method::POST, &path).await;
    call.body("text/plain", "{")
        .send()
        .await
        .expect_astra(403, 11);
    let made = astra.script("a", "true\n").await;
    let one = astra.path(&format!("{SOURCES}/{}", made["id"].as_str().unwrap()));
    for method in [Method::PUT, Method::DELETE] {
        astra
            .app
            .call_as(&viewer, method, &one)
            .await
            .send()
            .await
            .expect_astra(403, 11);
    }
    astra
        .app
        .call_as(&viewer, Method::GET, &one)
        .await
        .send()
        .await
        .expect(200);
    let member = astra.app.token(Role::Member).await;
    astra
        .app
        .call_as(&member, Method::DELETE, &one)
        .await
        .send()
        .await
        .expect(204);
}

#[tokio::test]
async fn then_the_query_then_the_body_then_the_resource() {
    let astra = Astra::start().await;
    let one = format!("{SOURCES}/{NOBODY}");
    let put = async |path: &str, kind: &str, body: &str| {
        let call = astra.call(Method::PUT, path).await;
        call.body(kind, body).send().await
    };
    let json = "application/json";
    put(&format!("{one}?x=1"), "text/plain", "{")
        .await
        .expect_astra(400, 6);
    let name = put(&one, "text/plain", "{")
        .await
        .expect_wrong(400, 12, "invalidParams");
    assert_eq!(name, "Content-Type");
    put(&one, json, "{").await.expect_astra(400, 7);
    put(&one, json, "{}").await.expect_astra(400, 8);
    let bad = source_change(&json!({"source": "!", "sourceType": "script"})).to_string();
    let name = put(&one, json, &bad)
        .await
        .expect_wrong(400, 9, "invalidFields");
    assert_eq!(name, "source");
    let good = source_change(&json!({"id": uuid::Uuid::new_v4(), "name": "x"})).to_string();
    put(&one, json, &good).await.expect_astra(404, 1);
    put(&format!("{SOURCES}/x"), json, &good)
        .await
        .expect_astra(404, 1);
    let made = astra.script("a", "true\n").await;
    astra.script("b", "true\n").await;
    let one = format!("{SOURCES}/{}", made["id"].as_str().unwrap());
    assert_eq!(
        put(&one, json, &good)
            .await
            .expect_wrong(409, 10, "invalidFields"),
        "id"
    );
    let taken = source_change(&json!({"name": "b"})).to_string();
    assert_eq!(
        put(&one, json, &taken)
            .await
            .expect_wrong(409, 10, "invalidFields"),
        "name"
    );
    let answer = astra.post(SOURCES, &source("a", "false\n")).await;
    assert_eq!(answer.expect_wrong(409, 10, "invalidFields"), "name");
}

#[tokio::test]
async fn a_source_that_makes_no_sense_is_refused_with_its_reason() {
    let astra = Astra::start().await;
    for (text, words) in [
        ("a".to_owned(), "base64"),
        ("aGk".to_owned(), "base64"),
        ("aG\nk=".to_owned(), "base64"),
        ("aGk_".to_owned(), "base64"),
        (base64("echo hi\r\n"), "carriage return"),
        (base64("echo \0\n"), "binary"),
        (base64(b"\xff\xfe"), "UTF-8"),
        (base64("#!/usr/bin/python3\n"), "python3"),
    ] {
        let body = with(source("a", ""), &json!({"source": text}));
        let answer = astra.post(SOURCES, &body).await;
        assert_eq!(
            answer.expect_wrong(400, 9, "invalidFields"),
            "source",
            "{text}"
        );
        assert!(answer.text().contains(words), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_body_outside_its_schema_is_refused_with_the_place() {
    let astra = Astra::start().await;
    for (members, words) in [
        (json!({"name": "x".repeat(64)}), "`name`"),
        (json!({"name": ""}), "`name`"),
        (json!({"name": 7}), "`name` must be a string"),
        (json!({"description": "x".repeat(512)}), "`description`"),
        (json!({"source": "A".repeat(131_076)}), "131072"),
        (json!({"sourceType": "python"}), "`sourceType`"),
        (json!({"private": "true"}), "`private` is not a member"),
        (json!({"preloaded": "false"}), "`preloaded` is not a member"),
        (json!({"id": NOBODY}), "`id` is not a member"),
        (
            json!({"sourceMD5Checksum": "0".repeat(32)}),
            "`sourceMD5Checksum`",
        ),
        (
            json!({"metadata": {"labels": [{"name": "a"}]}}),
            "`metadata.labels[0].value` is missing",
        ),
        (json!({"type": "application/astra-executionHook"}), "`type`"),
        (json!({"version": "1.1"}), "`version`"),
    ] {
        let answer = astra
            .post(SOURCES, &with(source("a", "true\n"), &members))
            .await;
        let failure = answer.expect_astra(400, 8)["schemaValidationFailure"].clone();
        assert!(failure.as_str().unwrap().contains(words), "{failure}");
    }
    let many: Vec<_> = (0..65)
        .map(|n| json!({"name": n.to_string(), "value": ""}))
        .collect();
    let body = with(source("a", ""), &json!({"metadata": {"labels": many}}));
    let answer = astra.post(SOURCES, &body).await;
    assert_eq!(
        answer.expect_wrong(400, 9, "invalidFields"),
        "metadata.labels"
    );
    for body in ["[]", "null", r#"{"type":"a","type":"a"}"#] {
        let call = astra.call(Method::POST, SOURCES).await;
        call.body("application/json", body)
            .send()
            .await
            .expect_astra(400, 8);
    }
    for body in [
        "",
        "{",
        "\u{feff}",
        "\u{feff}\u{feff}{}",
        &"[".repeat(100_000),
    ] {
        let call = astra.call(Method::POST, SOURCES).await;
        call.body("application/json", body)
            .send()
            .await
            .expect_astra(400, 7);
    }
}

#[tokio::test]
async fn unsupported_media_types_are_refused() {
    let astra = Astra::start().await;
    for accept in [
        "text/html",
        "application/json;q=0",
        "application/astra-executionHook+json",
    ] {
        for method in [Method::GET, Method::POST] {
            let call = astra.call(method, SOURCES).await;
            call.header("accept", accept)
                .send()
                .await
                .expect_astra(406, 32);
        }
    }
    let call = astra.call(Method::GET, SOURCES).await;
    let answer = call
        .header("accept", "application/astra-hookSources+json")
        .send()
        .await;
    answer.expect(200);
    assert_eq!(
        answer.header("content-type"),
        "application/astra-hookSources+json"
    );
    let call = astra.call(Method::POST, SOURCES).await;
    let answer = call
        .json(&json!({}))
        .header("content-encoding", "gzip")
        .send()
        .await;
    assert_eq!(
        answer.expect_wrong(400, 12, "invalidParams"),
        "Content-Encoding"
    );
}

#[tokio::test]
async fn a_body_beyond_every_limit_is_413() {
    let astra = Astra::start().await;
    let call = astra.call(Method::POST, HOOKS).await;
    let huge = vec![b' '; (1 << 20) + 1];
    call.body("application/json", huge)
        .send()
        .await
        .expect_astra(413, 85);
    let call = astra.call(Method::POST, SOURCES).await;
    let huge = vec![b' '; 44 << 20];
    call.body("application/json", huge)
        .send()
        .await
        .expect_astra(413, 85);
}

#[tokio::test]
async fn an_account_with_disabled_hooks_gets_that_error_everywhere() {
    let astra = Astra::start().await;
    let made = astra.script("a", "true\n").await;
    let dispatcher = &astra.app.dispatcher;
    dispatcher
        .accounts()
        .switch_app_hooks(astra.account, Switch::Off)
        .await
        .unwrap();
    let viewer = astra.app.token(Role::Viewer).await;
    let one = format!("{SOURCES}/{}", made["id"].as_str().unwrap());
    let overrides = format!("/k8s/v1/apps/{NOBODY}/executionHookOverrides");
    for (method, path) in [
        (Method::GET, SOURCES),
        (Method::POST, SOURCES),
        (Method::GET, one.as_str()),
        (Method::PUT, &one),
        (Method::DELETE, &one),
        (Method::GET, HOOKS),
        (Method::POST, HOOKS),
        (Method::GET, &overrides),
    ] {
        astra
            .call(method, path)
            .await
            .send()
            .await
            .expect_astra(403, 168);
    }
    let call = astra
        .app
        .call_as(&viewer, Method::DELETE, &astra.path(&one))
        .await;
    call.send().await.expect_astra(403, 11);
    dispatcher
        .accounts()
        .switch_app_hooks(astra.account, Switch::On)
        .await
        .unwrap();
    astra.get(&one).await.expect(200);
}

#[tokio::test]
async fn paths_and_methods_that_are_not_served_are_problems_too() {
    let astra = Astra::start().await;
    for path in ["", "/core/v1", "/core/v1/hookSource", "/k8s/v1/apps"] {
        astra.get(path).await.expect_astra(404, 2);
    }
    let answer = astra.call(Method::PATCH, SOURCES).await.send().await;
    let problem = answer.expect(405);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(
        (&problem["status"], &problem["type"]),
        (&json!("405"), &json!("about:blank"))
    );
    assert!(answer.header("allow").contains("POST"));
}

#[tokio::test]
async fn a_server_that_shuts_down_is_not_ready() {
    let astra = Astra::start().await;
    let made = astra.script("a", "true\n").await;
    astra.app.dispatcher.drain(std::time::Duration::ZERO).await;
    let answer = astra.post(SOURCES, &source("b", "true\n")).await;
    answer.expect_astra(503, 41);
    assert_eq!(answer.header("retry-after"), "1");
    let one = format!("{SOURCES}/{}", made["id"].as_str().unwrap());
    astra.delete(&one).await.expect_astra(503, 41);
}

#[tokio::test]
async fn a_store_that_fails_is_an_internal_error_without_its_cause() {
    let astra = Astra::start().await;
    let made = astra.script("a", "true\n").await;
    astra.app.break_store();
    let one = format!("{SOURCES}/{}", made["id"].as_str().unwrap());
    let problem = astra.get(&one).await.expect_astra(500, 34);
    assert_eq!(
        problem["detail"],
        "The server was unable to process this request."
    );
}

#[tokio::test]
async fn an_expired_token_is_invalid() {
    let astra = Astra::start().await;
    let new = NewToken {
        name: "short".into(),
        principal: None,
        role: Role::Owner,
        expires_at: None,
    };
    let (token, secret) = astra
        .app
        .dispatcher
        .tokens()
        .issue(astra.account, new)
        .await
        .unwrap();
    let path = astra.path(SOURCES);
    astra
        .app
        .call_as(secret.reveal(), Method::GET, &path)
        .await
        .send()
        .await
        .expect(200);
    astra
        .app
        .dispatcher
        .tokens()
        .revoke(astra.account, token.id)
        .await
        .unwrap();
    let call = astra.app.call_as(secret.reveal(), Method::GET, &path).await;
    call.send().await.expect_astra(401, 4);
}
