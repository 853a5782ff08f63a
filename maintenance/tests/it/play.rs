//! Sessions that go well, from `MAINTENANCE` to `MAINTENANCE_DONE`.

use serde_json::{Value, json};
use tenterhook_session::{ActionType, State};
use tenterhook_tests_artifacts as artifacts;

use crate::support::{Yard, action, plan};

const PRINT: &str = "echo \"$HOOK_EVENT $HOOK_PARAM_HOST $HOOK_PARAM_UPGRADE $HOOK_PARAM_RELEASE \
                     $HOOK_PARAM_ATTEMPT $HOOK_PARAM_DOWNLOADS\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_session_runs_its_plug_ins_notifies_everyone_and_is_done() {
    let yard = Yard::new().await;
    yard.host("node-1").await;
    yard.host("node-2").await;
    let vm = yard.instance("vm-1", "node-1", "blue").await;
    yard.instance("vm-2", "node-2", "green").await;
    yard.source("print", PRINT).await;
    let module = std::fs::read(artifacts::FRIENDLY_HELLO).unwrap();
    yard.source("hello", module).await;
    for event in [
        "maintenance.scheduled",
        "maintenance.host",
        "maintenance.session",
    ] {
        yard.hook(yard.account, event, "cat\n").await;
    }
    yard.hook(
        yard.account,
        "action.instance",
        "echo \"$HOOK_PARAM_ACTION $HOOK_PARAM_INSTANCE_ID $HOOK_PARAM_HOST\"\n",
    )
    .await;
    let mut plan = plan();
    plan.actions = vec![
        action("print", ActionType::Post),
        action("print", ActionType::Host),
        action("hello", ActionType::Compute),
        action("print", ActionType::Pre),
    ];

    let id = yard.begin(plan).await;
    assert_eq!(yard.play(id).await, State::MaintenanceDone);

    let printed = yard.printed(yard.account, "print").await;
    let line = |event: &str, host: &str| {
        format!("action.{event} {host} FW1 Zed 1 https://sw.example/a.tar.gz\n")
    };
    assert_eq!(printed.len(), 4, "{printed:?}");
    assert_eq!(printed[0], line("pre", "localhost"));
    assert_eq!(printed[3], line("post", "localhost"));
    let mut hosts = [printed[1].clone(), printed[2].clone()];
    hosts.sort();
    assert_eq!(hosts, [line("host", "node-1"), line("host", "node-2")]);
    assert_eq!(yard.printed(yard.account, "hello").await.len(), 2);

    let told = payloads(&yard, "maintenance.scheduled").await;
    let url = format!("http://10.0.0.5:8080/v1/maintenance/{id}");
    for told in &told {
        assert_eq!(told["service"], "fenix");
        assert_eq!(told["session_id"], json!(id));
        let project = told["project_id"].as_str().unwrap();
        let expected = json!(format!("{url}/{project}"));
        assert!(told["reply_url"].as_str().unwrap().starts_with(&url));
        if told["state"] == "INSTANCE_ACTION_DONE" {
            assert!(told["instance_ids"].is_array(), "{told}");
            assert_eq!(told["metadata"], json!({}));
            assert_eq!(told["reply_at"], Value::Null);
        } else {
            assert_eq!(told["instance_ids"], expected, "{told}");
            assert_eq!(told["reply_url"], expected, "{told}");
            assert_eq!(told["metadata"], json!({"release": "Zed"}));
            let reply_at = told["reply_at"].as_str().unwrap();
            assert_eq!((reply_at.len(), &reply_at[10..11]), (19, " "), "{told}");
        }
    }
    for state in ["MAINTENANCE", "MAINTENANCE_COMPLETE"] {
        for project in ["blue", "green"] {
            assert!(
                told.iter()
                    .any(|told| told["state"] == state && told["project_id"] == project),
                "{state} {project} {told:#?}"
            );
        }
    }
    assert!(
        told.iter()
            .any(|told| told["state"] == "INSTANCE_ACTION_DONE")
    );
    let hosts = payloads(&yard, "maintenance.host").await;
    assert_eq!(hosts.len(), 4, "{hosts:#?}");
    let progress = payloads(&yard, "maintenance.session").await;
    let last = progress.last().unwrap();
    assert_eq!(
        (&last["state"], &last["percent_done"]),
        (&json!("MAINTENANCE_DONE"), &json!(100))
    );
    let moved = yard.printed(yard.account, "action.instance").await;
    assert!(
        moved.contains(&format!("MIGRATE {vm} node-1\n")),
        "{moved:?}"
    );

    let steps = yard.steps(id).await;
    assert!(steps.iter().all(|step| step.ok), "{steps:#?}");
    let ran: Vec<_> = steps.iter().filter(|step| step.what == "action").collect();
    assert_eq!(ran.len(), 6);
    assert!(ran.iter().all(|step| step.task.is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_without_projects_needs_no_replies() {
    let yard = Yard::new().await;
    for host in ["node-1", "node-2", "node-3"] {
        yard.host(host).await;
    }
    let id = yard.begin(plan()).await;
    let stored = yard.until(id, State::MaintenanceDone).await;
    assert_eq!(stored.session.percent_done(), 100);
    assert_eq!(stored.created_by, "ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_inventory_is_polled_and_answered_for() {
    let yard = Yard::new().await;
    yard.host("node-1").await;
    yard.host("node-2").await;
    for vm in 0..300 {
        let project = format!("p{}", vm % 7);
        yard.instance(&format!("vm-{vm}"), "node-1", &project).await;
    }
    let id = yard.begin(plan()).await;
    assert_eq!(yard.play(id).await, State::MaintenanceDone);
}

/// What the hooks on an event have read.
async fn payloads(yard: &Yard, event: &str) -> Vec<Value> {
    yard.printed(yard.account, event)
        .await
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect()
}
