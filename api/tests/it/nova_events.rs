//! Nova's external events run the hooks for them on the server that they name, and
//! the reply has the result of each.

use http::Method;
use serde_json::{Value, json};
use tenterhook_api::NovaRules;
use tenterhook_dispatch::Role;

use crate::nova_support::{
    PATH, ended_tasks, event, events, instance, message, post_at, tagged, tasks,
};
use crate::support::{TestApp, uuid};

const TELL: &str = "#!/bin/sh
echo \"$HOOK_EVENT $HOOK_SERVER_NAME $HOOK_PARAM_STATUS tag=${HOOK_PARAM_TAG-none} $HOOK_PARAM_HOST\"
";

#[tokio::test]
async fn an_event_runs_its_hooks_for_its_server_with_its_tag() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let other = instance(&app, "vm-2", Some("compute-1")).await;
    let source = app.script("tell", TELL).await;
    for servers in [json!("all"), json!([vm.number]), json!([other.number])] {
        let hook = json!({"source": source, "event": "network-vif-plugged", "servers": servers});
        app.post("/api/v1/hooks", &hook).await.expect(201);
    }
    let sent = json!({
        "name": "network-vif-plugged", "server_uuid": vm.id, "tag": "port-7", "status": "in-progress",
    });
    let reply = app.post(PATH, &events(&[sent])).await.expect(200);
    let expected = json!({"events": [{
        "name": "network-vif-plugged", "server_uuid": vm.id, "tag": "port-7",
        "status": "completed", "code": 200,
    }]});
    assert_eq!(reply, expected);
    let tasks = ended_tasks(&app).await;
    let [task] = &tasks[..] else {
        panic!("not one task: {tasks:?}");
    };
    assert_eq!(task["name"], "network-vif-plugged");
    assert_eq!(task["event"]["source"], "/nova");
    let printed: Vec<_> = task["executions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|execution| execution["stdout"].as_str().unwrap())
        .collect();
    let line = "network-vif-plugged vm-1 in-progress tag=port-7 compute-1\n";
    assert_eq!(printed, [line, line]);
}

#[tokio::test]
async fn an_event_without_a_tag_sets_no_variable_for_it() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let source = app.script("tell", TELL).await;
    app.hook(source, "network-changed").await;
    let sent = events(&[event("network-changed", &vm.id)]);
    app.post(PATH, &sent).await.expect(200);
    let tasks = ended_tasks(&app).await;
    let line = "network-changed vm-1 completed tag=none compute-1\n";
    assert_eq!(tasks[0]["executions"][0]["stdout"], line);
}

#[tokio::test]
async fn a_hook_reads_the_whole_event_from_its_input() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let source = app.script("read", "#!/bin/sh\ncat\n").await;
    app.hook(source, "power-update").await;
    let sent = events(&[tagged("power-update", &vm.id, "POWER_OFF")]);
    let answer = post_at(&app, "2.76", &sent).await;
    answer.expect(200);
    let tasks = ended_tasks(&app).await;
    let printed = tasks[0]["executions"][0]["stdout"].as_str().unwrap();
    let data: Value = serde_json::from_str(printed).unwrap();
    let expected = json!({
        "name": "power-update", "server_uuid": vm.id, "status": "completed", "tag": "POWER_OFF",
        "host": "compute-1", "request_id": answer.header("x-compute-request-id"),
    });
    assert_eq!(data, expected);
}

#[tokio::test]
async fn each_event_has_its_result_in_the_order_of_the_request() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let homeless = instance(&app, "vm-2", None).await;
    let unknown = uuid();
    let sent = events(&[
        event("network-changed", &unknown),
        tagged("network-vif-plugged", &vm.id, "port-7"),
        event("power-update", &vm.id),
        event("network-changed", &homeless.id),
        // A missing server counts before a missing tag, and that before a missing host.
        event("volume-extended", &unknown),
        event("volume-extended", &homeless.id),
        tagged("volume-extended", &vm.id, ""),
        tagged("power-update", &vm.id, "sideways"),
        tagged("accelerator-request-bound", &vm.id, "arq"),
        event("accelerator-request-bound", &vm.id),
        event("volume-reimaged", &vm.id),
    ]);
    let reply = post_at(&app, "latest", &sent).await.expect(207);
    let results: Vec<_> = reply["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| {
            (
                result["code"].as_u64().unwrap(),
                result["status"].as_str().unwrap(),
            )
        })
        .collect();
    let (done, failed) = ("completed", "failed");
    let expected = [
        (404, failed),
        (200, done),
        (400, failed),
        (422, failed),
        (404, failed),
        (400, failed),
        (200, done),
        (200, done),
        (200, done),
        (400, failed),
        (200, done),
    ];
    assert_eq!(results, expected);
    for (result, sent) in reply["events"]
        .as_array()
        .unwrap()
        .iter()
        .zip(sent["events"].as_array().unwrap())
    {
        for member in ["name", "server_uuid", "tag"] {
            assert_eq!(result.get(member), sent.get(member), "{result}");
        }
    }
    let names: Vec<_> = tasks(&app)
        .await
        .iter()
        .map(|task| task["name"].clone())
        .collect();
    let accepted = [
        "network-vif-plugged",
        "volume-extended",
        "power-update",
        "accelerator-request-bound",
        "volume-reimaged",
    ];
    assert_eq!(names, accepted);
}

#[tokio::test]
async fn a_complete_failure_is_404_in_the_seed_and_207_today() {
    let app = TestApp::start().await;
    let homeless = instance(&app, "vm-1", None).await;
    let sent = events(&[
        event("network-changed", &uuid()),
        event("network-changed", &homeless.id),
    ]);
    let answer = app.post(PATH, &sent).await;
    let text = message(&answer, 404, "itemNotFound");
    assert_eq!(text, "No instances found for any event");
    let app = app.with_nova_rules(NovaRules::Modern);
    let reply = app.post(PATH, &sent).await.expect(207);
    assert_eq!(reply["events"][0]["code"], 404);
    assert_eq!(reply["events"][1]["code"], 422);
    assert!(tasks(&app).await.is_empty());
}

#[tokio::test]
async fn an_id_may_be_spelt_differently_and_is_shown_as_sent() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let plain = vm.id.replace('-', "");
    let spellings = [
        vm.id.to_uppercase(),
        plain.clone(),
        format!("{{{plain}}}"),
        format!("urn:uuid:{}", vm.id),
    ];
    let sent: Vec<_> = spellings
        .iter()
        .map(|id| event("network-changed", id))
        .collect();
    let reply = app.post(PATH, &events(&sent)).await.expect(200);
    for (result, id) in reply["events"].as_array().unwrap().iter().zip(&spellings) {
        assert_eq!(result["server_uuid"], **id);
    }
    for task in tasks(&app).await {
        assert_eq!(task["object"], *vm.id);
    }
}

#[tokio::test]
async fn the_same_event_again_is_a_separate_event() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let source = app.script("tell", TELL).await;
    app.hook(source, "network-changed").await;
    let one = tagged("network-changed", &vm.id, "port-7");
    let sent = events(&[one.clone(), one.clone(), one]);
    for _ in 0..2 {
        app.post(PATH, &sent).await.expect(200);
    }
    let tasks = ended_tasks(&app).await;
    assert_eq!(tasks.len(), 6);
    for task in tasks {
        assert_eq!(task["executions"].as_array().unwrap().len(), 1);
        assert_eq!(task["state"], "FINISHED");
    }
}

#[tokio::test]
async fn a_refused_request_accepts_no_event() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let good = event("network-changed", &vm.id);
    for bad in [
        event("test-event", &vm.id),
        event("network-changed", "zz"),
        json!({"name": "network-changed", "server_uuid": vm.id, "tag": null}),
        json!(7),
    ] {
        let answer = app
            .post(PATH, &events(&[good.clone(), bad, good.clone()]))
            .await;
        message(&answer, 400, "badRequest");
    }
    assert!(tasks(&app).await.is_empty());
}

#[tokio::test]
async fn servers_of_another_account_are_unknown() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let (_, stranger) = app.tenant("stranger").await;
    let sent = events(&[event("network-changed", &vm.id)]);
    let call = app.call_as(&stranger, Method::POST, PATH).await;
    let answer = call.json(&sent).send().await;
    message(&answer, 404, "itemNotFound");
    assert!(tasks(&app).await.is_empty());
}

#[tokio::test]
async fn all_three_paths_are_the_same_call_and_the_project_must_be_the_callers() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let account = app.get("/api/v1/accounts").await.expect(200)["items"][0]["id"].clone();
    let account = account.as_str().unwrap();
    let sent = events(&[event("network-changed", &vm.id)]);
    for path in [
        "/os-server-external-events".to_owned(),
        PATH.to_owned(),
        format!("/v2.1/{account}/os-server-external-events"),
        format!(
            "/v2.1/{}/os-server-external-events",
            account.replace('-', "")
        ),
    ] {
        app.post(&path, &sent).await.expect(200);
    }
    let (stranger, _) = app.tenant("stranger").await;
    for project in [
        stranger["id"].as_str().unwrap(),
        "x",
        &"y".repeat(300),
        "%1b",
    ] {
        let path = format!("/v2.1/{project}/os-server-external-events");
        let text = message(&app.post(&path, &sent).await, 400, "badRequest");
        assert!(
            text.starts_with("Malformed request URL: URL's project_id '"),
            "{text}"
        );
        assert!(
            text.ends_with(&format!("doesn't match Context's project_id '{account}'")),
            "{text}"
        );
        assert!(text.len() < 300 && !text.contains('\u{1b}'), "{text}");
    }
    assert_eq!(tasks(&app).await.len(), 4);
}

#[tokio::test]
async fn only_admins_post_events_and_are_named_in_their_tasks() {
    let app = TestApp::start().await;
    let vm = instance(&app, "vm-1", Some("compute-1")).await;
    let token = app.token(Role::Admin).await;
    let call = app.call_as(&token, Method::POST, PATH).await.anonymous();
    let sent = events(&[event("network-changed", &vm.id)]);
    let call = call.header("x-auth-token", &token).json(&sent);
    call.send().await.expect(200);
    let started_by = tasks(&app).await[0]["started_by"].clone();
    assert!(
        started_by.as_str().unwrap().starts_with("admin-"),
        "{started_by}"
    );
}
