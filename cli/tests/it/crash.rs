//! An acknowledged event is not lost: the server is killed amid a thousand of
//! them, for real, and after the next start every one of their executions ends.

use std::sync::mpsc::{Sender, channel};
use std::thread;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::api::{Owner, event};
use crate::server::Server;

/// Events that are acknowledged before the server is killed.
const ACKNOWLEDGED: usize = 1_000;

/// Events in one request.
const BATCH: usize = 20;

#[test]
fn no_acknowledged_event_is_lost_when_the_server_is_killed() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let owner = Owner::of(&server, data.path());
    owner.hook(
        "slow",
        "sleep 0.03; echo \"attempt $HOOK_ATTEMPT\"",
        &json!({}),
    );

    let (acknowledged, tasks) = channel();
    let clients: Vec<_> = (0..4)
        .map(|client| {
            let (owner, acknowledged) = (owner.clone(), acknowledged.clone());
            thread::spawn(move || fire_until_the_server_is_gone(&owner, client, &acknowledged))
        })
        .collect();
    drop(acknowledged);
    let mut owed: Vec<String> = tasks.iter().take(ACKNOWLEDGED).collect();
    // Some have ended, some are running, most are waiting, and more keep coming.
    for task in &owed[..40] {
        owner.result(task);
    }
    let (status, _) = server.stop(Signal::KILL);
    assert_eq!(status, None, "it was killed");
    owed.extend(tasks.iter());
    for client in clients {
        client.join().unwrap();
    }

    let server = Server::start(data.path(), &[]);
    let owner = Owner::of(&server, data.path());
    let mut again = 0;
    for task in &owed {
        let task = owner.result(task);
        let executions = task["executions"].as_array().unwrap();
        assert_eq!(executions.len(), 1, "{task}");
        let (execution, attempt) = (&executions[0], &executions[0]["attempt"]);
        assert_eq!(
            execution["outcome"],
            json!({"kind": "exited", "status": 0}),
            "{task}"
        );
        assert_eq!(execution["stdout"], format!("attempt {attempt}\n"));
        again += usize::from(attempt.as_u64().unwrap() > 1);
    }
    assert!(owed.len() >= ACKNOWLEDGED);
    assert!(again > 0, "some were running when the server was killed");
    assert!(again < owed.len(), "what had ended before is not run again");
}

fn fire_until_the_server_is_gone(owner: &Owner, client: usize, acknowledged: &Sender<String>) {
    for batch in 0.. {
        let events: Vec<Value> = (0..BATCH)
            .map(|index| event("slow", format!("{client}-{batch}-{index}")))
            .collect();
        let body = json!(events).to_string();
        let kind = "application/cloudevents-batch+json";
        let Ok((status, answer)) = owner.try_call("POST", "/api/v1/events", kind, body) else {
            return;
        };
        assert!(status < 300, "{status} {answer}");
        for accepted in answer["items"].as_array().unwrap() {
            let id = accepted["task"]["id"].as_str().unwrap();
            // Nobody counts any more once the server is gone.
            let _ = acknowledged.send(id.to_owned());
        }
    }
}
