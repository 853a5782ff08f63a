//! Nova's external events at a separate server: accepted events outlive it, and
//! its operator chooses the reply when none was accepted.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::api::Owner;
use crate::server::Server;

const PATH: &str = "/v2.1/os-server-external-events";

/// Requests that are answered before the server is killed, and events in each.
const REQUESTS: usize = 10;
const BATCH: usize = 100;

#[test]
fn no_accepted_external_event_is_lost_when_the_server_is_killed() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let owner = Owner::of(&server, data.path());
    let new = json!({"name": "vm-1", "host": "compute-1"});
    let vm = owner.post("/api/v1/servers", &new)["uuid"].take();
    let source = owner.source(
        "tell",
        "sleep 0.02; echo \"$HOOK_SERVER_NAME $HOOK_PARAM_TAG\"",
    );
    let hook = json!({"source": source, "event": "network-changed", "servers": "all"});
    owner.post("/api/v1/hooks", &hook);
    for request in 0..REQUESTS {
        let event = |index| json!({"name": "network-changed", "server_uuid": vm, "tag": format!("{request}-{index}")});
        let events: Vec<Value> = (0..BATCH).map(event).collect();
        let reply = owner.post(PATH, &json!({ "events": events }));
        assert_eq!(reply["events"].as_array().unwrap().len(), BATCH);
    }
    let (status, _) = server.stop(Signal::KILL);
    assert_eq!(status, None, "it was killed");

    let server = Server::start(data.path(), &[]);
    let owner = Owner::of(&server, data.path());
    let list = owner.get("/api/v1/tasks?limit=1000&event=network-changed");
    let mut printed: Vec<String> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| {
            let task = owner.result(task["id"].as_str().unwrap());
            let executions = task["executions"].as_array().unwrap();
            assert_eq!(executions.len(), 1, "{task}");
            executions[0]["stdout"].as_str().unwrap().to_owned()
        })
        .collect();
    printed.sort_unstable();
    let mut expected: Vec<String> = (0..REQUESTS)
        .flat_map(|request| (0..BATCH).map(move |index| format!("vm-1 {request}-{index}\n")))
        .collect();
    expected.sort_unstable();
    assert_eq!(printed, expected);
}

#[test]
fn the_operator_chooses_the_reply_when_no_event_was_accepted() {
    let nowhere = json!({"events": [{
        "name": "network-changed", "server_uuid": "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa",
    }]});
    for (flags, status) in [
        (&[][..], 404),
        (&["--nova-all-failed", "seed"], 404),
        (&["--nova-all-failed", "modern"], 207),
    ] {
        let data = tempfile::tempdir().unwrap();
        let server = Server::start(data.path(), flags);
        let owner = Owner::of(&server, data.path());
        let (actual, answer) = owner
            .try_call("POST", PATH, "application/json", nowhere.to_string())
            .unwrap();
        assert_eq!(actual, status, "{flags:?}: {answer}");
    }
}
