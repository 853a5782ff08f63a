//! Whole maintenance sessions over HTTP: four hosts, two projects, plug-ins in shell
//! and as a module, and a manager that is notified by webhooks.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use tenterhook_tests_artifacts as artifacts;

use crate::cloud::{Cloud, Mood};

const UPGRADE: &str = "#!/bin/sh\necho \"$HOOK_PARAM_UPGRADE on $HOOK_PARAM_HOST\"\n";

/// The plug-ins of a session: a script before all, for each host and after all; and a
/// module for each compute host.
fn actions(cloud: &Cloud) -> Value {
    cloud.owner.source("upgrade", UPGRADE);
    cloud
        .owner
        .source("probe", fs::read(artifacts::FRIENDLY_HELLO).unwrap());
    json!([
        {"plugin": "upgrade", "type": "pre", "metadata": {"upgrade": "tools"}},
        {"plugin": "upgrade", "type": "host", "metadata": {"upgrade": "FW1"}},
        {"plugin": "probe", "type": "compute"},
        {"plugin": "upgrade", "type": "post", "metadata": {"upgrade": "report"}},
    ])
}

fn steps(detail: &Value) -> &Vec<Value> {
    detail["steps"].as_array().unwrap()
}

/// The plug-ins that have run well, with their hosts and how often.
fn ran(detail: &Value) -> BTreeMap<String, usize> {
    let mut ran = BTreeMap::new();
    for step in steps(detail) {
        if step["what"] == "action" && step["ok"] == true {
            let (plugin, host) = (step["plugin"].as_str(), step["host"].as_str());
            let name = format!("{}@{}", plugin.unwrap(), host.unwrap());
            *ran.entry(name).or_default() += 1;
        }
    }
    ran
}

/// Asserts that all plug-ins have run once on each host, and `upgrade` twice besides.
#[track_caller]
fn assert_ran_once(detail: &Value) {
    let hosts = ["node-1", "node-2", "node-3", "node-4"];
    let mut once: BTreeMap<_, _> = hosts
        .iter()
        .flat_map(|host| [format!("upgrade@{host}"), format!("probe@{host}")])
        .map(|name| (name, 1))
        .collect();
    once.insert("upgrade@localhost".into(), 2);
    assert_eq!(ran(detail), once, "{detail:#}");
}

#[test]
fn a_session_goes_from_maintenance_to_maintenance_done() {
    let cloud = Cloud::new(&["--public-url", "http://maintenance.example"]);
    let actions = actions(&cloud);
    let session = cloud.begin("default", &actions);

    let detail = cloud.until(&session, "MAINTENANCE_DONE");
    assert_ran_once(&detail);
    assert_eq!(detail["percent_done"], 100);
    assert_eq!(detail["failure"], Value::Null);
    let entered: Vec<_> = steps(&detail)
        .iter()
        .filter(|step| step["what"] == "enter" && step["state"] != "MAINTENANCE_DONE")
        .map(|step| step["state"].as_str().unwrap())
        .collect();
    assert_eq!(
        entered[..3],
        ["MAINTENANCE", "PREPARE_MAINTENANCE", "START_MAINTENANCE"]
    );
    assert_eq!(entered.last(), Some(&"MAINTENANCE_COMPLETE"));
    assert!(entered.contains(&"PLANNED_MAINTENANCE"));

    // What the plug-ins printed is the output of their tasks.
    let host = steps(&detail)
        .iter()
        .find(|step| step["plugin"] == "upgrade" && step["host"] == "node-3")
        .unwrap();
    let task = cloud
        .owner
        .get(&format!("/api/v1/tasks/{}", host["task"].as_str().unwrap()));
    assert_eq!(task["executions"][0]["stdout"], "FW1 on node-3\n");

    let told = cloud.told("maintenance.scheduled");
    let id = session.rsplit('/').next().unwrap();
    for told in &told {
        let url = format!(
            "http://maintenance.example/v1/maintenance/{id}/{}",
            told["project_id"].as_str().unwrap()
        );
        assert!(
            told["reply_url"].as_str().unwrap().starts_with(&url),
            "{told}"
        );
        assert_eq!(told["session_id"], id);
    }
    for state in [
        "MAINTENANCE",
        "PLANNED_MAINTENANCE",
        "MAINTENANCE_COMPLETE",
        "INSTANCE_ACTION_DONE",
    ] {
        for project in ["blue", "green"] {
            let heard = told
                .iter()
                .any(|told| told["state"] == state && told["project_id"] == project);
            assert!(heard, "{project} was not told of {state}: {told:#?}");
        }
    }
    let hosts = cloud.told("maintenance.host");
    assert_eq!(hosts.len(), 8, "each goes in and comes back: {hosts:#?}");
}

#[test]
fn a_refusal_fails_the_session_until_the_project_agrees() {
    let cloud = Cloud::new(&[]);
    let actions = actions(&cloud);
    cloud.project("green", Mood::Refuses("PLANNED_MAINTENANCE"));
    let session = cloud.begin("default", &actions);

    let detail = cloud.until(&session, "MAINTENANCE_FAILED");
    let failure = &detail["failure"];
    assert_eq!(failure["state"], "PLANNED_MAINTENANCE", "{detail:#}");
    let reason = failure["reason"].as_str().unwrap();
    assert!(
        reason.contains("green") && reason.contains("NACK_PLANNED_MAINTENANCE"),
        "{reason}"
    );
    assert!(failure["remedy"].is_string(), "{failure}");

    cloud.project("green", Mood::Agrees);
    cloud.resume(&session);
    assert_ran_once(&cloud.until(&session, "MAINTENANCE_DONE"));
}

#[test]
fn a_project_that_does_not_reply_in_time_fails_the_session() {
    let cloud = Cloud::new(&["--maintenance-reply", "3s"]);
    cloud.project("green", Mood::IsSilent("MAINTENANCE"));
    let session = cloud.begin("default", &json!([]));

    let detail = cloud.until(&session, "MAINTENANCE_FAILED");
    let reason = detail["failure"]["reason"].as_str().unwrap();
    assert!(
        reason.contains("green") && !reason.contains("blue"),
        "{reason}"
    );
    assert!(reason.contains("did not answer MAINTENANCE"), "{reason}");
    let told = cloud.told("maintenance.scheduled");
    let greens = told
        .iter()
        .filter(|told| told["project_id"] == "green")
        .count();
    assert!(greens > 1, "it was told again: {told:#?}");
}

#[test]
fn a_failed_plug_in_is_repaired_and_runs_again_where_it_failed() {
    let cloud = Cloud::new(&[]);
    let broken = "[ \"$HOOK_PARAM_HOST\" = node-2 ] || exit 0\n\
                  echo 'no firmware in the store' >&2\nexit 4\n";
    let script = cloud.owner.post(
        "/api/events/scripts",
        &json!({"name": "fw", "contents": broken}),
    );
    let session = cloud.begin("default", &json!([{"plugin": "fw", "type": "host"}]));

    let detail = cloud.until(&session, "MAINTENANCE_FAILED");
    let failure = &detail["failure"];
    assert_eq!(failure["state"], "START_MAINTENANCE", "{detail:#}");
    let reason = failure["reason"].as_str().unwrap();
    for part in ["`fw`", "`node-2`", "status 4", "no firmware in the store"] {
        assert!(reason.contains(part), "{part}: {reason}");
    }
    let task = failure["task"].as_str().unwrap();
    let task = cloud.owner.get(&format!("/api/v1/tasks/{task}"));
    assert_eq!(
        task["executions"][0]["stderr"],
        "no firmware in the store\n"
    );

    let repaired = json!({"contents": "echo repaired\n"}).to_string();
    let path = format!("/api/events/scripts/{}", script["id"]);
    let (status, answer) = cloud
        .owner
        .try_call("PATCH", &path, "application/json", repaired)
        .unwrap();
    assert!(status < 300, "{status} {answer}");
    cloud.resume(&session);
    let detail = cloud.until(&session, "MAINTENANCE_DONE");
    let ran = ran(&detail);
    assert_eq!(ran.len(), 4, "{ran:?}");
    assert!(ran.values().all(|times| *times == 1), "{ran:?}");
}

#[test]
fn a_server_that_is_killed_during_a_session_continues_it() {
    let cloud = Cloud::new(&[]);
    let actions = actions(&cloud);
    let session = cloud.begin("default", &actions);
    cloud.until(&session, "PLANNED_MAINTENANCE");

    let cloud = cloud.killed_and_started_again();
    let listed = cloud.owner.get("/v1/maintenance");
    assert_eq!(listed["session_id"].as_array().unwrap().len(), 1);
    let detail = cloud.until(&session, "MAINTENANCE_DONE");
    assert_ran_once(&detail);
    let serials: Vec<_> = steps(&detail)
        .iter()
        .map(|step| step["serial"].as_u64().unwrap())
        .collect();
    assert!(serials.iter().copied().eq(1..=serials.len() as u64));
}

#[test]
fn a_plug_in_that_traps_or_runs_out_of_fuel_fails_only_its_session() {
    let cloud = Cloud::new(&["--max-fuel", "500M"]);
    for (name, guest, said) in [
        ("panics", artifacts::LIMITS_PANIC, "trapped"),
        (
            "spins",
            artifacts::LIMITS_SPIN_FOREVER,
            "stopped at its fuel limit",
        ),
    ] {
        cloud.owner.source(name, fs::read(guest).unwrap());
        let session = cloud.begin("default", &json!([{"plugin": name, "type": "pre"}]));
        let detail = cloud.until(&session, "MAINTENANCE_FAILED");
        let reason = detail["failure"]["reason"].as_str().unwrap();
        assert!(reason.contains(name) && reason.contains(said), "{reason}");
        // Its bill is kept with its task.
        let task = detail["failure"]["task"].as_str().unwrap();
        let task = cloud.owner.get(&format!("/api/v1/tasks/{task}"));
        assert!(task["executions"][0]["usage"]["fuel"].as_u64().unwrap() > 0);
    }
    // The server is none the worse for it.
    let session = cloud.begin("default", &json!([]));
    cloud.until(&session, "MAINTENANCE_DONE");
}

#[test]
fn a_tenants_own_script_decides_where_its_session_goes() {
    let cloud = Cloud::new(&[]);
    let script = "echo \"{\\\"next\\\": \\\"$HOOK_PARAM_PROPOSED\\\", \
                  \\\"reason\\\": \\\"$HOOK_PARAM_STATE is over\\\"}\"\n";
    cloud.owner.source("mine", script);
    let session = cloud.begin("mine", &json!([]));
    let detail = cloud.until(&session, "MAINTENANCE_DONE");
    let decided = steps(&detail)
        .iter()
        .filter(|step| step["what"] == "decide" && step["plugin"] == "mine");
    let decided: Vec<_> = decided.collect();
    assert!(decided.len() >= 5, "{detail:#}");
    assert!(
        decided
            .iter()
            .all(|step| step["result"].as_str().unwrap().contains("is over"))
    );

    // It may only go where the machine goes.
    cloud
        .owner
        .source("hasty", "echo '{\"next\": \"MAINTENANCE_DONE\"}'\n");
    let session = cloud.begin("hasty", &json!([]));
    let detail = cloud.until(&session, "MAINTENANCE_FAILED");
    let reason = detail["failure"]["reason"].as_str().unwrap();
    assert!(reason.contains("MAINTENANCE_DONE"), "{reason}");
}
