//! Whatever is sent to Fenix's API, the server responds and does not fail.

use http::Method;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::fenix_support::{Fenix, NOBODY};

/// Members that are read somewhere.
const NAMES: [&str; 18] = [
    "hosts",
    "state",
    "maintenance_at",
    "workflow",
    "metadata",
    "download",
    "actions",
    "plugin",
    "type",
    "instance_actions",
    "instance_action",
    "instance_ids",
    "project_id",
    "group_id",
    "instance_id",
    "lead_time",
    "max_impacted_members",
    "migration_type",
];

/// Texts that are right somewhere.
const TEXTS: [&str; 16] = [
    "",
    "\u{0}",
    "node-1",
    "blue",
    "MAINTENANCE",
    "SCALE_IN",
    "PLANNED_MAINTENANCE",
    "START_MAINTENANCE",
    "MAINTENANCE_FAILED",
    "ACK_MAINTENANCE",
    "NACK_MAINTENANCE",
    "2001-02-03 04:05:06",
    "default",
    "vnf",
    "host",
    "MIGRATE",
];

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        proptest::sample::select(&TEXTS[..]).prop_map(str::to_owned),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            members(inner).prop_map(Value::from),
        ]
    })
}

fn members(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let name = proptest::sample::select(&NAMES[..]).prop_map(str::to_owned);
    prop::collection::vec((name, value), 0..10).prop_map(|pairs| pairs.into_iter().collect())
}

/// A body: random members over a sound one, or random bytes.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let sound = json!({
        "state": "MAINTENANCE", "maintenance_at": "2001-02-03 04:05:06", "workflow": "default",
        "metadata": {}, "project_id": "blue", "group_id": "g",
    });
    let over = members(value()).prop_map(move |changes| {
        let mut body = sound.clone();
        body.as_object_mut().unwrap().extend(changes);
        body.to_string().into_bytes()
    });
    prop_oneof![
        4 => over,
        2 => value().prop_map(|value| value.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..64),
    ]
}

/// A part of a path: what is right somewhere, or anything.
fn part() -> impl Strategy<Value = String> {
    let anything = any::<String>().prop_map(|text| {
        let escaped: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        escaped.replace('+', "%20")
    });
    let known = [
        "SESSION", "SESSION", "SESSION", NOBODY, "blue", "detail", "g", "%ff", "7",
    ];
    prop_oneof![
        3 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => anything,
    ]
}

fn path() -> impl Strategy<Value = String> {
    let root = proptest::sample::select(vec!["maintenance", "instance", "instance_group", "x"]);
    (root, prop::collection::vec(part(), 0..4), any::<bool>()).prop_map(|(root, parts, slash)| {
        let end = if slash { "/" } else { "" };
        let parts: String = parts.iter().map(|part| format!("/{part}")).collect();
        format!("/v1/{root}{parts}{end}")
    })
}

fn call() -> impl Strategy<Value = (Method, String, Vec<u8>)> {
    let method =
        proptest::sample::select(vec![Method::GET, Method::POST, Method::PUT, Method::DELETE]);
    (method, path(), body())
}

async fn play(calls: Vec<(Method, String, Vec<u8>)>) {
    let (fenix, _) = Fenix::with_two_hosts().await;
    let session = fenix.session(&json!({})).await;
    let session = session.rsplit('/').next().unwrap();
    for (method, path, body) in calls {
        let path = path.replace("SESSION", session);
        let call = fenix.call(method.clone(), &path).await;
        let body_sent = if method == Method::GET {
            Vec::new()
        } else {
            body
        };
        let answer = call
            .body("application/json", body_sent.clone())
            .send()
            .await;
        let status = answer.status.as_u16();
        assert!(
            status < 500 || status == 509,
            "{method} {path} {:?}: {status} {}",
            String::from_utf8_lossy(&body_sent),
            answer.text()
        );
        answer.json();
    }
    // Whoever is still there can be looked at and removed.
    let left = fenix.get("/v1/maintenance").await.expect(200);
    for id in left["session_id"].as_array().unwrap() {
        let path = format!("/v1/maintenance/{}", id.as_str().unwrap());
        fenix.get(&format!("{path}/detail")).await.expect(200);
        fenix.delete(&path).await.expect(200);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_request_makes_the_server_fail(calls in prop::collection::vec(call(), 1..24)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(play(calls));
    }
}
