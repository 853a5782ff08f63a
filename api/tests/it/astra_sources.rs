//! Hook sources over Astra's interface, with the fields that it documents.

use http::Method;
use serde_json::{Value, json};
use tenterhook_tests_artifacts::FRIENDLY_HELLO;

use crate::astra_support::{Astra, SOURCES, base64, md5, source, source_change, with};

const HOUR: &str = "#!/bin/sh\necho \"$1 at the full hour\"\n";

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

#[tokio::test]
async fn the_documented_create_and_its_reply_field_by_field() {
    let astra = Astra::start().await;
    let body = with(
        source("hourly", HOUR),
        &json!({
            "description": "Runs on the hour",
            "metadata": {"labels": [{"name": "team", "value": "billing"}]},
        }),
    );
    let call = astra.call(Method::POST, SOURCES).await;
    let answer = call
        .header("host", "hooks.example:8443")
        .body("application/astra-hookSource+json", body.to_string())
        .header("accept", "application/astra-hookSource+json")
        .send()
        .await;
    let made = answer.expect(201);
    let kind = "application/astra-hookSource+json";
    assert_eq!(answer.header("content-type"), kind);
    let path = astra.path(&format!("{SOURCES}/{}", id(&made)));
    assert_eq!(
        answer.header("location"),
        format!("http://hooks.example:8443{path}")
    );
    assert_eq!(answer.header("etag"), format!("\"{}\"", md5(&answer.body)));
    let identity = astra
        .app
        .dispatcher
        .identities()
        .authenticate(&astra.owner)
        .await;
    let principal = identity.unwrap().unwrap().principal;
    let time = made["metadata"]["creationTimestamp"].clone();
    assert!(time.as_str().unwrap().ends_with('Z'));
    assert_eq!(
        made,
        json!({
            "type": "application/astra-hookSource",
            "version": "1.0",
            "id": made["id"],
            "name": "hourly",
            "private": "false",
            "preloaded": "false",
            "sourceType": "script",
            "source": base64(HOUR),
            "sourceMD5Checksum": md5(base64(HOUR)),
            "description": "Runs on the hour",
            "metadata": {
                "labels": [{"name": "team", "value": "billing"}],
                "creationTimestamp": time,
                "modificationTimestamp": made["metadata"]["creationTimestamp"],
                "createdBy": principal,
            },
        })
    );
    let shown = astra.get(&format!("{SOURCES}/{}", id(&made))).await;
    assert_eq!(shown.header("content-type"), "application/json");
    assert_eq!((shown.expect(200), shown.body), (made, answer.body));
}

#[tokio::test]
async fn the_documented_list_holds_whole_resources() {
    let astra = Astra::start().await;
    let first = astra.script("a", "true\n").await;
    let second = astra.script("b", "").await;
    assert_eq!(
        second["sourceMD5Checksum"],
        "d41d8cd98f00b204e9800998ecf8427e"
    );
    let answer = astra.get(SOURCES).await;
    let list = answer.expect(200);
    assert_eq!(answer.header("etag"), format!("\"{}\"", md5(&answer.body)));
    assert_eq!(
        (&list["type"], &list["version"], &list["metadata"]),
        (
            &json!("application/astra-hookSources"),
            &json!("1.0"),
            &json!({})
        )
    );
    assert_eq!(astra.sources("").await, [first, second]);
}

#[tokio::test]
async fn put_merges_and_returns_no_body() {
    let astra = Astra::start().await;
    let body = with(
        source("a", "true\n"),
        &json!({"description": "x", "metadata": {"labels": [{"name": "k", "value": "v"}]}}),
    );
    let old = astra.post(SOURCES, &body).await.expect(201);
    let path = format!("{SOURCES}/{}", id(&old));
    let change = source_change(&json!({"source": base64("false\n"), "sourceType": "script"}));
    let answer = astra.put(&path, &change).await;
    assert_eq!((answer.expect(204), answer.body.len()), (Value::Null, 0));
    let new = astra.get(&path).await.expect(200);
    let metadata = &new["metadata"];
    assert_eq!(new["sourceMD5Checksum"], md5(base64("false\n")));
    for name in [
        "id",
        "name",
        "description",
        "private",
        "preloaded",
        "sourceType",
    ] {
        assert_eq!(new[name], old[name], "{name}");
    }
    for name in ["labels", "creationTimestamp", "createdBy"] {
        assert_eq!(metadata[name], old["metadata"][name], "{name}");
    }
    assert_eq!(metadata["modifiedBy"], metadata["createdBy"]);
    // All that a GET shows may be sent back; what the server alone says is ignored.
    let back = with(
        new.clone(),
        &json!({
            "private": "true", "preloaded": "true", "sourceMD5Checksum": "0".repeat(32),
            "metadata": {"labels": [], "creationTimestamp": "2001-01-01T00:00:00Z"},
        }),
    );
    astra.put(&path, &back).await.expect(204);
    let last = astra.get(&path).await.expect(200);
    for name in [
        "source",
        "sourceMD5Checksum",
        "private",
        "preloaded",
        "name",
    ] {
        assert_eq!(last[name], new[name], "{name}");
    }
    let times = |value: &Value, name: &str| value["metadata"][name].as_str().unwrap().to_owned();
    assert_eq!(last["metadata"]["labels"], json!([]));
    assert_eq!(
        times(&last, "creationTimestamp"),
        times(&new, "creationTimestamp")
    );
    assert_ne!(
        times(&last, "modificationTimestamp"),
        times(&new, "modificationTimestamp")
    );
}

#[tokio::test]
async fn a_private_source_is_listed_and_shown_without_its_text() {
    let astra = Astra::start().await;
    let path = "/api/v1/sources?name=hidden&private=true";
    let call = astra.app.call_as(&astra.owner, Method::POST, path).await;
    let made = call
        .body("text/x-shellscript", "echo hush\n")
        .send()
        .await
        .expect(201);
    let path = format!("{SOURCES}/{}", id(&made));
    let shown = astra.get(&path).await.expect(200);
    assert_eq!(shown["private"], "true");
    assert_eq!(shown["sourceMD5Checksum"], md5(base64("echo hush\n")));
    assert_eq!(shown.get("source"), None);
    assert_eq!(astra.sources("").await, [shown]);
    let included = astra
        .get(&format!(
            "{SOURCES}?include=name,source&filter=private%20eq%20'true'"
        ))
        .await;
    assert_eq!(included.expect(200)["items"], json!([["hidden", null]]));
}

#[tokio::test]
async fn built_in_sources_are_listed_and_cannot_be_changed() {
    let astra = Astra::start().await;
    let list = astra
        .get(&format!("{SOURCES}?filter=preloaded%20eq%20'true'"))
        .await
        .expect(200);
    let items = list["items"].as_array().unwrap();
    assert!(!items.is_empty());
    for item in items {
        assert_eq!(
            item["metadata"]["createdBy"],
            "00000000-0000-0000-0000-000000000000"
        );
        assert_eq!(
            item["sourceMD5Checksum"],
            md5(item["source"].as_str().unwrap())
        );
    }
    let path = format!("{SOURCES}/{}", id(&items[0]));
    let change = source_change(&json!({"description": "mine"}));
    astra.put(&path, &change).await.expect_astra(403, 71);
    astra.delete(&path).await.expect_astra(403, 71);
    assert_eq!(astra.get(&path).await.expect(200), items[0]);
}

#[tokio::test]
async fn a_wasm_program_is_a_source_of_a_distinct_type() {
    let astra = Astra::start().await;
    let module = std::fs::read(FRIENDLY_HELLO).unwrap();
    let wasm = |source: String| {
        with(
            crate::astra_support::source("hello", ""),
            &json!({"sourceType": "wasm", "source": source}),
        )
    };
    let made = astra
        .post(SOURCES, &wasm(base64(&module)))
        .await
        .expect(201);
    assert_eq!(made["sourceType"], "wasm");
    assert_eq!(made["sourceMD5Checksum"], md5(base64(&module)));
    assert_eq!(made["source"], base64(&module));
    for (source, word) in [
        (base64("echo hi\n"), "WebAssembly"),
        (base64(&module[..200]), "module"),
    ] {
        let answer = astra.post(SOURCES, &wasm(source)).await;
        assert_eq!(answer.expect_wrong(400, 9, "invalidFields"), "source");
        assert!(answer.text().contains(word), "{}", answer.text());
    }
    // 32 MiB are the most by default.
    let answer = astra
        .post(SOURCES, &wasm("A".repeat((32 << 20) / 3 * 4 + 8)))
        .await;
    let problem = answer.expect_astra(400, 8);
    assert!(
        problem["schemaValidationFailure"]
            .as_str()
            .unwrap()
            .contains("`source`")
    );
    let path = format!("{SOURCES}/{}", id(&made));
    let change = source_change(&json!({"sourceType": "script"}));
    let answer = astra.put(&path, &change).await;
    assert_eq!(answer.expect_wrong(400, 9, "invalidFields"), "sourceType");
    let change = source_change(&json!({"sourceType": "script", "source": base64("true\n")}));
    astra.put(&path, &change).await.expect(204);
    assert_eq!(astra.get(&path).await.expect(200)["sourceType"], "script");
}

#[tokio::test]
async fn one_source_is_visible_through_three_apis() {
    let astra = Astra::start().await;
    let made = astra.script("shared", "echo \"from astra\"\n").await;
    let scripts = astra.app.get("/api/events/scripts").await.expect(200);
    let script = &scripts[0];
    assert_eq!(script["name"], "shared");
    let hook = json!({"scriptId": script["id"], "event": "OnAudit", "allServers": true, "enabled": true, "args": [], "serverIds": []});
    let call = astra
        .app
        .call_as(&astra.owner, Method::POST, "/api/events/hooks")
        .await;
    let answer = call.json(&hook).send().await;
    assert!(answer.status.is_success(), "{}", answer.text());
    let task = astra.app.fire("OnAudit", json!({"category": "x"})).await;
    assert!(task.to_string().contains("from astra"), "{task}");
    astra
        .delete(&format!("{SOURCES}/{}", id(&made)))
        .await
        .expect_astra(403, 72);
    // The other way round.
    let text = "echo \"from croit\"\n";
    astra.app.script("native", text).await;
    let listed = astra.sources("?filter=name%20eq%20'native'").await;
    assert_eq!(listed[0]["sourceMD5Checksum"], md5(base64(text)));
    assert_eq!(listed[0]["source"], base64(text));
}

#[tokio::test]
async fn a_put_is_applied_only_if_its_preconditions_hold() {
    let astra = Astra::start().await;
    let made = astra.script("a", "true\n").await;
    let path = format!("{SOURCES}/{}", id(&made));
    let tag = astra.get(&path).await.header("etag").to_owned();
    let change = source_change(&json!({"description": "new"}));
    let put = async |name: &'static str, value: &str| {
        let call = astra.call(Method::PUT, &path).await;
        call.json(&change).header(name, value).send().await
    };
    put("if-match", "\"0123\"").await.expect_astra(412, 38);
    put("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT")
        .await
        .expect_astra(412, 38);
    put("if-modified-since", "Fri, 31 Dec 9999 23:59:59 GMT")
        .await
        .expect_astra(412, 38);
    assert_eq!(astra.get(&path).await.expect(200), made);
    put("if-match", &tag).await.expect(204);
    // It has changed, and with it the tag.
    put("if-match", &tag).await.expect_astra(412, 38);
    let tag = astra.get(&path).await.header("etag").to_owned();
    put("if-match", &format!("x, {}", tag.trim_matches('"')))
        .await
        .expect(204);
    put("if-match", "*").await.expect(204);
    put("if-unmodified-since", "Fri, 31 Dec 9999 23:59:59 GMT")
        .await
        .expect(204);
    put("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT")
        .await
        .expect(204);
    let name = put("if-unmodified-since", "yesterday")
        .await
        .expect_wrong(400, 12, "invalidParams");
    assert_eq!(name, "if-unmodified-since");
}

#[tokio::test]
async fn a_removed_source_is_not_found_and_a_body_is_ignored() {
    let astra = Astra::start().await;
    let made = astra.script("a", "true\n").await;
    let path = format!("{SOURCES}/{}", id(&made));
    let call = astra.call(Method::DELETE, &path).await;
    let answer = call
        .body("application/astra-hookSource+json", "{not json")
        .send()
        .await;
    answer.expect(204);
    for answer in [
        astra.get(&path).await,
        astra.delete(&path).await,
        astra.put(&path, &source_change(&json!({}))).await,
    ] {
        answer.expect_astra(404, 1);
    }
    astra.script("a", "true\n").await;
}

#[tokio::test]
async fn a_change_through_this_api_is_audited_in_part() {
    let astra = Astra::start().await;
    let audit = astra.app.script("audit", "cat\n").await;
    astra.app.hook(audit, "OnAudit").await;
    let long = format!("#{}\n", "x".repeat(900));
    astra
        .post(SOURCES, &source("seen", &long))
        .await
        .expect(201);
    let list = astra.app.get("/api/v1/tasks?event=OnAudit").await;
    let mut audits = Vec::new();
    for task in list.expect(200)["items"].as_array().unwrap() {
        astra.app.ended(task["number"].as_i64().unwrap()).await;
        let path = format!("/api/v1/tasks/{}", task["number"]);
        audits.push(astra.app.get(&path).await.expect(200).to_string());
    }
    let of_source = |text: &&String| text.contains("create_hook_source");
    let audits = audits.iter().find(of_source).unwrap();
    assert!(audits.contains("hookSources") && audits.contains("seen"));
    assert!(
        !audits.contains(&base64(&long)),
        "the whole text is recorded"
    );
}

#[tokio::test]
async fn the_location_names_the_host_that_was_asked_if_it_is_one() {
    let astra = Astra::start().await;
    for (number, (host, scheme, start)) in [
        ("a.example", "https", "https://a.example/accounts/"),
        ("[::1]:8080", "http", "http://[::1]:8080/accounts/"),
        ("a.example", "javascript", "http://a.example/accounts/"),
        ("a.example/evil?", "https", "/accounts/"),
    ]
    .into_iter()
    .enumerate()
    {
        let call = astra.call(Method::POST, SOURCES).await;
        let call = call.json(&source(&format!("s{number}"), ""));
        let call = call
            .header("host", host)
            .header("x-forwarded-proto", scheme);
        let answer = call.send().await;
        answer.expect(201);
        let location = answer.header("location");
        assert!(location.starts_with(start), "{host}: {location}");
    }
}
