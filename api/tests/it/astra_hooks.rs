//! Execution hooks over both of their collections, and what runs them.

use http::Method;
use serde_json::{Value, json};
use tenterhook_dispatch::{AppChange, Key};

use crate::astra_support::{Astra, HOOKS, SOURCES, base64, hook, source_change, with};
use crate::support::event_of;

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

fn change(members: &Value) -> Value {
    with(
        json!({"type": "application/astra-executionHook", "version": "1.3"}),
        members,
    )
}

#[tokio::test]
async fn the_documented_create_list_and_reply_field_by_field() {
    let astra = Astra::start().await;
    let script = astra.script("freeze.sh", "true\n").await;
    let app = astra
        .application(
            "shop",
            &[
                ("db-0", "postgres:17"),
                ("db-1", "postgres:17"),
                ("web-0", "nginx:1"),
            ],
        )
        .await;
    let body = with(
        hook("freeze", &script, &app),
        &json!({
            "arguments": ["freeze", "10"], "enabled": "false", "description": "Quiet, please",
            "matchingCriteria": [{"type": "podName", "value": "^db-"}, {"type": "podLabel", "value": "^tier=db$"}],
            "metadata": {"labels": [{"name": "k", "value": "v"}]},
        }),
    );
    let answer = astra.post(HOOKS, &body).await;
    let made = answer.expect(201);
    let expected = json!({
        "type": "application/astra-executionHook",
        "version": "1.3",
        "id": made["id"],
        "name": "freeze",
        "hookType": "custom",
        "matchingCriteria": body["matchingCriteria"],
        "action": "snapshot",
        "stage": "pre",
        "hookSourceID": script["id"],
        "arguments": ["freeze", "10"],
        "appID": app.id,
        "enabled": "false",
        "description": "Quiet, please",
        "metadata": {
            "labels": [{"name": "k", "value": "v"}],
            "creationTimestamp": made["metadata"]["creationTimestamp"],
            "modificationTimestamp": made["metadata"]["creationTimestamp"],
            "createdBy": script["metadata"]["createdBy"],
        },
    });
    assert_eq!(made, expected);
    assert!(
        answer
            .header("location")
            .ends_with(&astra.path(&format!("{HOOKS}/{}", id(&made))))
    );
    let list = json!({
        "type": "application/astra-executionHooks", "version": "1.3", "items": [made], "metadata": {},
    });
    let of_app = format!("/k8s/v1/apps/{}/executionHooks", app.id);
    for path in [HOOKS, &of_app] {
        assert_eq!(astra.get(path).await.expect(200), list, "{path}");
        let shown = astra
            .get(&format!("{path}/{}", id(&made)))
            .await
            .expect(200);
        let pods: Vec<_> = shown["matchingContainers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["podName"])
            .collect();
        assert_eq!(pods, ["db-0", "db-1"]);
        assert_eq!(
            shown["matchingContainers"][0],
            json!({
                "podName": "db-0", "podLabels": [{"name": "tier", "value": "db"}],
                "containerImage": "postgres:17", "containerName": "main", "namespaceName": "prod",
            })
        );
        assert_eq!(shown["matchingImages"], json!(["postgres:17"]));
        let computed = json!({"matchingContainers": shown["matchingContainers"], "matchingImages": shown["matchingImages"]});
        assert_eq!(shown, with(made.clone(), &computed));
    }
    let other = astra.application("other", &[]).await;
    let of_other = format!("/k8s/v1/apps/{}/executionHooks", other.id);
    assert_eq!(astra.get(&of_other).await.expect(200)["items"], json!([]));
    astra
        .get(&format!("{of_other}/{}", id(&made)))
        .await
        .expect_astra(404, 1);
}

#[tokio::test]
async fn a_hook_of_the_apps_collection_is_changed_and_removed_over_the_other() {
    let astra = Astra::start().await;
    let script = astra.script("a.sh", "true\n").await;
    let app = astra.application("shop", &[]).await;
    let of_app = format!("/k8s/v1/apps/{}/executionHooks", app.id);
    let made = astra
        .post(&of_app, &hook("a", &script, &app))
        .await
        .expect(201);
    assert_eq!(
        (&made["enabled"], &made["matchingCriteria"]),
        (&json!("true"), &json!([]))
    );
    let path = format!("{HOOKS}/{}", id(&made));
    let body =
        change(&json!({"action": "restore", "stage": "post", "enabled": "false", "name": "b"}));
    astra.put(&path, &body).await.expect(204);
    let new = astra
        .get(&format!("{of_app}/{}", id(&made)))
        .await
        .expect(200);
    assert_eq!(
        (&new["action"], &new["stage"]),
        (&json!("restore"), &json!("post"))
    );
    assert_eq!(
        (&new["enabled"], &new["name"]),
        (&json!("false"), &json!("b"))
    );
    assert_eq!(new["hookSourceID"], made["hookSourceID"]);
    assert_eq!(new["metadata"]["modifiedBy"], made["metadata"]["createdBy"]);
    // Half of a pair meets the other half that is there already.
    let answer = astra.put(&path, &change(&json!({"stage": "pre"}))).await;
    assert_eq!(answer.expect_wrong(400, 9, "invalidFields"), "stage");
    let tag = astra.get(&path).await.header("etag").to_owned();
    for (value, status) in [("\"x\"", 412), (tag.as_str(), 204), (tag.as_str(), 412)] {
        let call = astra
            .call(Method::PUT, &path)
            .await
            .json(&change(&json!({"description": "d"})));
        call.header("if-match", value).send().await.expect(status);
    }
    let call = astra.call(Method::DELETE, &path).await;
    call.json(&json!({"type": "application/astra-hookSource"}))
        .send()
        .await
        .expect(204);
    astra.get(&path).await.expect_astra(404, 1);
}

#[tokio::test]
async fn the_tag_in_the_reply_to_a_create_is_valid_for_a_put() {
    let astra = Astra::start().await;
    let script = astra.script("a.sh", "true\n").await;
    let app = astra.application("shop", &[("db-0", "x")]).await;
    let answer = astra.post(HOOKS, &hook("a", &script, &app)).await;
    let path = format!("{HOOKS}/{}", id(&answer.expect(201)));
    let call = astra
        .call(Method::PUT, &path)
        .await
        .json(&change(&json!({})));
    call.header("if-match", answer.header("etag"))
        .send()
        .await
        .expect(204);
}

#[tokio::test]
async fn a_hook_runs_once_in_each_container_that_it_matches() {
    let astra = Astra::start().await;
    let script = astra
        .script(
            "say.sh",
            "echo \"$1 in $HOOK_PARAM_POD_NAME of $HOOK_PARAM_APP_NAME\"\n",
        )
        .await;
    let app = astra
        .application(
            "shop",
            &[("db-0", "pg"), ("db-1", "pg"), ("web-0", "nginx")],
        )
        .await;
    let body = with(
        hook("say", &script, &app),
        &json!({"arguments": ["frozen"], "matchingCriteria": [{"type": "containerImage", "value": "pg"}]}),
    );
    let made = astra.post(HOOKS, &body).await.expect(201);
    let fire = async || {
        let event = with(
            event_of("snapshot.pre", json!({})),
            &json!({"subject": app.id}),
        );
        let call = astra
            .app
            .call_as(&astra.owner, Method::POST, "/api/v1/events?wait=60")
            .await;
        call.json(&event).send().await.expect(200)["task"].clone()
    };
    let task = fire().await;
    assert_eq!(task["hookState"], "success", "{task}");
    let text = task.to_string();
    for pod in ["db-0", "db-1"] {
        assert!(text.contains(&format!("frozen in {pod} of shop")), "{task}");
    }
    assert!(!text.contains("web-0"), "{task}");
    assert_eq!(task["executions"].as_array().unwrap().len(), 2);
    // A new text runs from the next time on.
    let path = format!("{SOURCES}/{}", id(&script));
    let new = source_change(&json!({"source": base64("echo thawed; exit 3\n")}));
    astra.put(&path, &new).await.expect(204);
    let task = fire().await;
    assert!(task.to_string().contains("thawed"), "{task}");
    assert_eq!(task["hookState"], "failed", "{task}");
    astra
        .put(
            &format!("{HOOKS}/{}", id(&made)),
            &change(&json!({"enabled": "false"})),
        )
        .await
        .expect(204);
    assert!(!fire().await.to_string().contains("thawed"));
}

#[tokio::test]
async fn a_body_that_requests_something_forbidden_is_refused_by_name() {
    let astra = Astra::start().await;
    let script = astra.script("a.sh", "true\n").await;
    let app = astra.application("shop", &[]).await;
    let body = hook("a", &script, &app);
    let unknown = "0b7c1b3e-5a41-4f4c-9d8e-2f6a7c8d9e0f";
    for (members, name) in [
        (json!({"action": "restore"}), "stage"),
        (json!({"action": "failover"}), "stage"),
        (json!({"hookSourceID": unknown}), "hookSourceID"),
        (json!({"appID": unknown}), "appID"),
        (
            json!({"matchingCriteria": [{"type": "podName", "value": "("}]}),
            "matchingCriteria",
        ),
        (
            json!({"matchingCriteria": [{"type": "podName", "value": "(?=x)"}]}),
            "matchingCriteria",
        ),
        (json!({"name": "a\u{7}"}), "name"),
        (json!({"arguments": ["a\0"]}), "arguments"),
    ] {
        let answer = astra.post(HOOKS, &with(body.clone(), &members)).await;
        assert_eq!(
            answer.expect_wrong(400, 9, "invalidFields"),
            name,
            "{members}"
        );
    }
    for (members, words) in [
        (json!({"action": "clone"}), "`action`"),
        (json!({"arguments": ["a", "a"]}), "twice"),
        (
            json!({"arguments": (0..17).map(|n| n.to_string()).collect::<Vec<_>>()}),
            "16",
        ),
        (json!({"arguments": ["x".repeat(128)]}), "127"),
        (
            json!({"matchingCriteria": [{"type": "podName"}]}),
            "`matchingCriteria[0].value`",
        ),
        (
            json!({"matchingCriteria": [{"type": "node", "value": "x"}]}),
            "podLabel",
        ),
        (json!({"enabled": true}), "`enabled` must be a string"),
        (json!({"matchingContainers": []}), "`matchingContainers`"),
        (json!({"appID": "shop"}), "`appID`"),
    ] {
        let answer = astra.post(HOOKS, &with(body.clone(), &members)).await;
        let failure = answer.expect_astra(400, 8)["schemaValidationFailure"].clone();
        assert!(failure.as_str().unwrap().contains(words), "{failure}");
    }
}

#[tokio::test]
async fn conflicts_are_reported_after_everything_else() {
    let astra = Astra::start().await;
    let script = astra.script("a.sh", "true\n").await;
    let app = astra.application("shop", &[]).await;
    let other = astra.application("other", &[]).await;
    let made = astra
        .post(HOOKS, &hook("a", &script, &app))
        .await
        .expect(201);
    let answer = astra.post(HOOKS, &hook("a", &script, &other)).await;
    assert_eq!(answer.expect_wrong(409, 10, "invalidFields"), "name");
    let of_other = format!("/k8s/v1/apps/{}/executionHooks", other.id);
    let answer = astra.post(&of_other, &hook("b", &script, &app)).await;
    assert_eq!(answer.expect_wrong(409, 10, "invalidFields"), "appID");
    let path = format!("{HOOKS}/{}", id(&made));
    for (members, name) in [
        (json!({"id": "0b7c1b3e-5a41-4f4c-9d8e-2f6a7c8d9e0f"}), "id"),
        (json!({"hookType": "netapp"}), "hookType"),
    ] {
        let answer = astra.put(&path, &change(&members)).await;
        assert_eq!(answer.expect_wrong(409, 10, "invalidFields"), name);
    }
    // Only what is replicated can fail over.
    let failover = json!({"action": "failover", "stage": "post"});
    astra
        .post(HOOKS, &with(hook("f", &script, &app), &failover))
        .await
        .expect_astra(409, 162);
    astra
        .put(&path, &change(&failover))
        .await
        .expect_astra(409, 162);
    let replicated = AppChange {
        replicated: Some(true),
        ..AppChange::default()
    };
    astra
        .app
        .dispatcher
        .apps()
        .change(astra.account, Key::Id(app.id), replicated)
        .await
        .unwrap();
    astra
        .post(HOOKS, &with(hook("f", &script, &app), &failover))
        .await
        .expect(201);
    // A source that a hook refers to stays.
    astra
        .delete(&format!("{SOURCES}/{}", id(&script)))
        .await
        .expect_astra(403, 72);
    let nowhere = "/k8s/v1/apps/0b7c1b3e-5a41-4f4c-9d8e-2f6a7c8d9e0f/executionHooks";
    astra.get(nowhere).await.expect_astra(404, 2);
    astra
        .post(nowhere, &hook("b", &script, &app))
        .await
        .expect_astra(404, 2);
}

#[tokio::test]
async fn the_operators_hooks_are_shown_and_cannot_be_changed() {
    let astra = Astra::start().await;
    let managed = astra.managed_hook("keep").await;
    let path = format!("{HOOKS}/{managed}");
    let shown = astra.get(&path).await.expect(200);
    assert_eq!(
        (&shown["hookType"], shown.get("appID")),
        (&json!("netapp"), None)
    );
    astra
        .put(&path, &change(&json!({"enabled": "false"})))
        .await
        .expect_astra(403, 73);
    astra.delete(&path).await.expect_astra(403, 73);
    let script = astra.script("a.sh", "true\n").await;
    let app = astra.application("shop", &[]).await;
    let body = with(hook("a", &script, &app), &json!({"hookType": "netapp"}));
    astra.post(HOOKS, &body).await.expect_astra(403, 73);
    assert_eq!(astra.get(&path).await.expect(200), shown);
    let filter = form_urlencoded::byte_serialize(b"hookType eq 'netapp'").collect::<String>();
    let list = astra
        .get(&format!("{HOOKS}?filter={filter}&include=id,appID"))
        .await
        .expect(200);
    assert_eq!(list["items"], json!([[managed, null]]));
}
