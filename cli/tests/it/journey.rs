//! The main job from end to end: a script and a module are uploaded over REST,
//! bound to a hook point, an event fires, and what became of both can be read.

use std::fs;

use serde_json::{Value, json};
use tenterhook_tests_artifacts as artifacts;

use crate::api::Owner;
use crate::server::Server;

#[test]
fn a_script_and_a_module_run_for_one_event_with_their_usage() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let owner = Owner::of(&server, data.path());
    let node = owner.post("/api/servers", &json!({"name": "node-1"}))["id"].clone();

    // The script comes over croit's API, the module over our own.
    let script = include_str!("../../../guest-examples/shell/volume-guard.sh");
    let script = owner.post(
        "/api/events/scripts",
        &json!({"name": "guard-in-shell", "contents": script}),
    );
    owner.post(
        "/api/events/hooks",
        &json!({"scriptId": script["id"], "event": "PreFormatDisk", "allServers": true, "serverIds": []}),
    );
    let module = owner.source("guard-in-rust", fs::read(artifacts::VOLUME_GUARD).unwrap());
    owner.post(
        "/api/v1/hooks",
        &json!({"source": module, "event": "PreFormatDisk", "servers": [node]}),
    );

    let task = owner.fire_and_wait(&json!({
        "specversion": "1.0", "id": "1", "source": "/tests", "type": "PreFormatDisk", "serverid": node,
        "data": {"device": "/dev/sdc", "usedBytes": 4096},
    }));

    assert_eq!(task["allow"], false, "{task}");
    let executions = task["executions"].as_array().unwrap();
    assert_eq!(executions.len(), 2, "{task}");
    for execution in executions {
        // A hook that says no has done its work.
        assert_eq!(execution["outcome"], json!({"kind": "exited", "status": 0}));
        assert_eq!(execution["stdout"], "/dev/sdc still holds 4096 bytes\n");
        assert_eq!(
            execution["verdict"]["reason"],
            "/dev/sdc still holds 4096 bytes"
        );
        assert_eq!(execution["attempt"], 1);
        for bill in [
            "fuel",
            "memory_peak_bytes",
            "wall_us",
            "cpu_us",
            "host_calls",
            "output_bytes",
        ] {
            assert!(
                execution["usage"][bill].as_u64().unwrap() > 0,
                "{bill}: {execution}"
            );
        }
        let alone = owner.get(&format!(
            "/api/v1/executions/{}",
            execution["id"].as_str().unwrap()
        ));
        assert_eq!(&alone["outcome"], &execution["outcome"]);
    }
    let of_croit = owner.get(&format!("/api/tasks/{}", task["number"]));
    assert_eq!(of_croit["statusCode"], 0);
    for verdict in of_croit["result"].as_array().unwrap() {
        assert_eq!(verdict["allow"], false, "{of_croit}");
    }
    let line = "node-1: /dev/sdc still holds 4096 bytes";
    assert_eq!(
        of_croit["output"].as_str().unwrap().matches(line).count(),
        2,
        "{of_croit}"
    );
}

#[test]
fn an_inline_script_is_executed_on_the_servers_that_are_named() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let owner = Owner::of(&server, data.path());
    let ids: Vec<Value> = ["node-1", "node-2"]
        .map(|name| owner.post("/api/servers", &json!({"name": name}))["id"].clone())
        .into();

    let script = "echo \"$1 on $HOOK_SERVER_NAME\"";
    let task = owner.post(
        "/api/events/scripts/execute",
        &json!({"script": script, "args": ["tuning"], "servers": ids}),
    );

    let result = owner.result(&task["id"].to_string());
    assert_eq!(result["executions"].as_array().unwrap().len(), 2);
    let task = owner.get(&format!("/api/tasks/{}", task["id"]));
    assert_eq!(task["statusCode"], 0);
    let mut lines: Vec<&str> = task["output"].as_str().unwrap().lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        ["node-1: tuning on node-1", "node-2: tuning on node-2"]
    );
}
