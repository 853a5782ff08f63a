//! Overrides of the operator's hooks, for one application at a time.

use http::Method;
use serde_json::{Value, json};

use crate::astra_support::{Astra, HOOKS, hook, with};
use crate::support::event_of;

fn body(members: &Value) -> Value {
    with(
        json!({"type": "application/astra-executionHookOverride", "version": "1.0"}),
        members,
    )
}

#[tokio::test]
async fn an_override_turns_the_operators_hook_off_for_one_application() {
    let astra = Astra::start().await;
    let managed = astra.managed_hook("keep").await;
    let app = astra.application("shop", &[("db-0", "x")]).await;
    let all = format!("/k8s/v1/apps/{}/executionHookOverrides", app.id);
    let ran = async || {
        let event = with(
            event_of("backup.pre", json!({})),
            &json!({"subject": "shop"}),
        );
        let call = astra
            .app
            .call_as(&astra.owner, Method::POST, "/api/v1/events?wait=60")
            .await;
        let answer = call.json(&event).send().await.expect(200);
        answer["task"]["executions"].as_array().unwrap().len()
    };
    assert_eq!(ran().await, 1);
    let answer = astra
        .post(
            &all,
            &body(&json!({"executionHookID": managed, "enabled": "false"})),
        )
        .await;
    let made = answer.expect(201);
    assert_eq!(ran().await, 0);
    let path = format!("{all}/{}", made["id"].as_str().unwrap());
    assert!(answer.header("location").ends_with(&astra.path(&path)));
    assert_eq!(
        made,
        json!({
            "type": "application/astra-executionHookOverride", "version": "1.0", "id": made["id"],
            "executionHookID": managed, "appID": app.id, "enabled": "false",
            "metadata": {
                "labels": [], "createdBy": made["metadata"]["createdBy"],
                "creationTimestamp": made["metadata"]["creationTimestamp"],
                "modificationTimestamp": made["metadata"]["creationTimestamp"],
            },
        })
    );
    assert_eq!(astra.get(&path).await.expect(200), made);
    let list = astra
        .get(&format!("{all}?limit=5&include=executionHookID,enabled"))
        .await
        .expect(200);
    assert_eq!(list["items"], json!([[managed, "false"]]));
    assert_eq!(list["type"], "application/astra-executionHookOverrides");
    let call = astra
        .call(Method::PUT, &path)
        .await
        .json(&body(&json!({"enabled": "true"})));
    call.header("if-match", "x")
        .send()
        .await
        .expect_astra(412, 38);
    astra
        .put(&path, &body(&json!({"enabled": "true"})))
        .await
        .expect(204);
    assert_eq!(ran().await, 1);
    astra
        .put(&path, &with(made.clone(), &json!({"enabled": "false"})))
        .await
        .expect(204);
    assert_eq!(ran().await, 0);
    astra.delete(&path).await.expect(204);
    assert_eq!(ran().await, 1);
    astra.get(&path).await.expect_astra(404, 1);
}

#[tokio::test]
async fn an_override_names_one_of_the_operators_hooks_once() {
    let astra = Astra::start().await;
    let managed = astra.managed_hook("keep").await;
    let app = astra.application("shop", &[]).await;
    let other = astra.application("other", &[]).await;
    let script = astra.script("a.sh", "true\n").await;
    let own = astra
        .post(HOOKS, &hook("own", &script, &app))
        .await
        .expect(201);
    let all = format!("/k8s/v1/apps/{}/executionHookOverrides", app.id);
    for id in [
        own["id"].as_str().unwrap(),
        "0b7c1b3e-5a41-4f4c-9d8e-2f6a7c8d9e0f",
    ] {
        let answer = astra
            .post(
                &all,
                &body(&json!({"executionHookID": id, "enabled": "false"})),
            )
            .await;
        assert_eq!(
            answer.expect_wrong(400, 9, "invalidFields"),
            "executionHookID"
        );
    }
    let new = body(&json!({"executionHookID": managed, "enabled": "false"}));
    let wrong = with(new.clone(), &json!({"appID": other.id}));
    assert_eq!(
        astra
            .post(&all, &wrong)
            .await
            .expect_wrong(409, 10, "invalidFields"),
        "appID"
    );
    let made = astra.post(&all, &new).await.expect(201);
    assert_eq!(
        astra
            .post(&all, &new)
            .await
            .expect_wrong(409, 10, "invalidFields"),
        "executionHookID"
    );
    astra
        .post(&all, &body(&json!({"enabled": "false"})))
        .await
        .expect_astra(400, 8);
    let id = made["id"].as_str().unwrap();
    let of_other = format!("/k8s/v1/apps/{}/executionHookOverrides/{id}", other.id);
    astra.get(&of_other).await.expect_astra(404, 1);
    let path = format!("{all}/{id}");
    let moved = body(&json!({"executionHookID": own["id"]}));
    assert_eq!(
        astra
            .put(&path, &moved)
            .await
            .expect_wrong(409, 10, "invalidFields"),
        "executionHookID"
    );
    astra
        .get(&all.replace(&app.id.to_string(), "x"))
        .await
        .expect_astra(404, 2);
}
