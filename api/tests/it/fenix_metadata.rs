//! Metadata of sessions and actions is the client's: plug-ins and admins get its text.

use http::Method;
use serde_json::Value;

use crate::fenix_support::Fenix;

/// How often a session is looked at before it is given up, and how long between.
const LOOKS: u32 = 1_200;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// What a client and a plug-in see of a session.
struct Shown {
    detail: String,
    /// The task of the plug-in: its output is in it as JSON strings.
    task: String,
}

impl Shown {
    #[track_caller]
    fn expect_printed(&self, text: &str) {
        let quoted = Value::from(text).to_string();
        let found = self.task.contains(quoted.trim_matches('"'));
        assert!(found, "{text}: {}", self.task);
    }
}

/// Plays a session with this metadata, and this of its one action.
async fn play(metadata: &str, hints: &str) -> Shown {
    let fenix = Fenix::start().await;
    fenix.host("node-1").await;
    let program = "cat; echo; env | grep '^HOOK_PARAM_'\n";
    fenix.app.script("show", program).await;
    let body = format!(
        r#"{{"state":"MAINTENANCE","maintenance_at":"2001-02-03 04:05:06","workflow":"default",
            "metadata": {metadata} ,"actions":[{{"plugin":"show","type":"pre","metadata":{hints}}}]}}"#
    );
    let call = fenix.call(Method::POST, "/v1/maintenance").await;
    let made = call.body("application/json", body).send().await.expect(200);
    let session = format!("/v1/maintenance/{}", made["session_id"].as_str().unwrap());
    // The detail need not be JSON that a value can hold, so it is not looked at before the end.
    let mut looks = 0;
    while fenix.get(&session).await.expect(200)["state"] != "MAINTENANCE_DONE" {
        looks += 1;
        assert!(looks < LOOKS, "the session is not done");
        tokio::time::sleep(PAUSE).await;
    }
    let detail = fenix.get(&format!("{session}/detail")).await.text();
    let tasks = fenix.app.get("/api/v1/tasks?event=action.pre").await;
    let path = format!("/api/v1/tasks/{}", tasks.expect(200)["items"][0]["number"]);
    let task = fenix.app.get(&path).await.text();
    Shown { detail, task }
}

#[tokio::test]
async fn metadata_reaches_plug_ins_and_the_detail_as_it_was_sent() {
    let metadata =
        r#"{"z":1.10, "big":12345678901234567890123,"text":"caf\u00e9","a":[ 2.0,{"y":1,"b":2}]}"#;
    let hints = r#"{"m":2.50,"k":1e5,"c":-0}"#;
    let shown = play(metadata, hints).await;
    for (member, text) in [("metadata", metadata), ("metadata", hints)] {
        let text = format!("\"{member}\":{text}");
        assert!(shown.detail.contains(&text), "{text}: {}", shown.detail);
    }
    shown.expect_printed(&format!("\"metadata\":{hints}"));
    shown.expect_printed(&format!("\"session_metadata\":{metadata}"));
    for variable in [
        "Z=1.10",
        "BIG=12345678901234567890123",
        "TEXT=café",
        "M=2.50",
        "K=1e5",
        "C=-0",
    ] {
        shown.expect_printed(&format!("HOOK_PARAM_{variable}\n"));
    }
}

#[tokio::test]
async fn metadata_may_hold_what_no_value_here_can() {
    let metadata = r#"{"far":1e400,"cut":"\ud83d","\udead":1,"n":1,"n":2}"#;
    let hints = r#"{"near":-1e-400}"#;
    let shown = play(metadata, hints).await;
    for text in [metadata, hints] {
        assert!(shown.detail.contains(text), "{text}: {}", shown.detail);
        shown.expect_printed(text);
    }
    for variable in ["FAR=1e400", "NEAR=-1e-400", "N=2"] {
        shown.expect_printed(&format!("HOOK_PARAM_{variable}\n"));
    }
}
