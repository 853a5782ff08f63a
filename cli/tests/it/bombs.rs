//! Five bombs in shell at one time: each ends at its limit, and meanwhile the
//! server answers and other hooks run.

use serde_json::json;

use crate::api::{Owner, event};
use crate::server::Server;

/// Each with the limits that it is given and the one at which it ends.
const BOMBS: [(&str, &str, &str, &str); 5] = [
    (
        "loop",
        "while :; do :; done",
        r#"{"fuel": 2000000000}"#,
        "fuel",
    ),
    ("sleep", "sleep 1h", r#"{"wall_ms": 1000}"#, "wall"),
    (
        "memory",
        "x=a; while :; do x=$x$x; done",
        r#"{"memory_bytes": 33554432}"#,
        "memory",
    ),
    ("flood", "yes", r#"{"output_bytes": 65536}"#, "output"),
    ("fork", ":(){ :|:& };:", r#"{"fuel": 2000000000}"#, "fuel"),
];

#[test]
fn bombs_end_at_their_limits_while_others_are_served() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let owner = Owner::of(&server, data.path());
    owner.hook("honest", "echo fine", &json!({}));
    owner.hook(
        "patient",
        "while :; do :; done",
        &json!({"fuel": 200_000_000_000_u64, "wall_ms": 600_000}),
    );
    for (name, script, limits, _) in BOMBS {
        owner.hook(name, script, &serde_json::from_str(limits).unwrap());
    }

    let fire = |name: &str| {
        let answer = owner.post("/api/v1/events", &event(name, name));
        answer["task"]["id"].as_str().unwrap().to_owned()
    };
    let patient = fire("patient");
    let tasks = BOMBS.map(|(name, ..)| fire(name));
    for round in 0..20 {
        assert_eq!(server.get("/healthz", "").status, 200);
        let honest = owner.fire_and_wait(&event("honest", round));
        assert_eq!(honest["executions"][0]["stdout"], "fine\n");
    }
    for (task, (name, _, _, limit)) in tasks.iter().zip(BOMBS) {
        let result = owner.result(task);
        let outcome = &result["executions"][0]["outcome"];
        assert_eq!(
            *outcome,
            json!({"kind": "stopped", "limit": limit}),
            "{name}: {result}"
        );
    }

    // One was busy all the time; it can be ended too.
    assert_eq!(
        owner.get(&format!("/api/v1/tasks/{patient}"))["ended_at"],
        json!(null)
    );
    owner.post(&format!("/api/v1/tasks/{patient}/cancel"), &json!({}));
    let result = owner.result(&patient);
    assert_eq!(
        result["executions"][0]["outcome"],
        json!({"kind": "cancelled"})
    );
    let honest = owner.fire_and_wait(&event("honest", "last"));
    assert_eq!(
        honest["executions"][0]["outcome"],
        json!({"kind": "exited", "status": 0})
    );
}
