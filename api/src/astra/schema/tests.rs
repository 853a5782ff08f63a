//! A body that follows its table, and each way of not following it.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const SAMPLE: &[Member] = members! {
    "type": Kind::OneOf(&["application/astra-sample"]), Must Must Must;
    "id": Kind::Identifier, Never May Must;
    "name": Kind::Text { min: 1, max: 5 }, Must May Must;
    "source": Kind::Base64 { max: 8 }, May May May;
    "sum": Kind::Checksum, Never May Must;
    "arguments": Kind::List { of: &Kind::Text { min: 0, max: 3 }, max: 2, unique: true }, May May May;
    "metadata": METADATA, May May Must;
};

fn failure(purpose: Purpose, body: &Value) -> String {
    check(SAMPLE, body.as_object().unwrap(), purpose)
        .err()
        .unwrap_or_default()
}

fn create(extra: Value) -> String {
    let mut body = json!({"type": "application/astra-sample", "name": "a"});
    for (name, value) in extra.as_object().unwrap() {
        body[name] = value.clone();
    }
    failure(Purpose::Create, &body)
}

#[test]
fn a_body_that_follows_the_table_passes() {
    assert_eq!(create(json!({})), "");
    assert_eq!(
        create(json!({
            "name": "größe", "source": "not base64, which is told later"[..8],
            "arguments": ["", "abc"],
            "metadata": {
                "labels": [{"name": "a", "value": "b"}, {"name": "a", "value": "c"}],
                "creationTimestamp": "2031-01-02T03:04:05,678901234Z",
                "createdBy": "00000000-0000-0000-0000-000000000000",
            },
        })),
        ""
    );
    let put =
        json!({"type": "application/astra-sample", "id": "0b7c1b3e-5a41-5f4c-9d8e-2f6a7c8d9e0f"});
    assert_eq!(failure(Purpose::Replace, &put), "");
}

#[test]
fn each_way_of_not_following_the_table_is_reported() {
    let label = json!({"name": "a", "value": "b"});
    for (extra, expected) in [
        (
            json!({"type": "x"}),
            "`type` must be \"application/astra-sample\"",
        ),
        (json!({"name": ""}), "`name` must not be empty"),
        (
            json!({"name": "sixsix"}),
            "`name` must not have more than 5 characters",
        ),
        (json!({"name": null}), "`name` must be a string"),
        (json!({"name": 7}), "`name` must be a string"),
        (json!({"id": "x"}), "`id` is not a member of this resource"),
        (
            json!({"extra\n": 1}),
            "`extra\u{fffd}` is not a member of this resource",
        ),
        (
            json!({"source": "123456789"}),
            "`source` must not have more than 8 characters",
        ),
        (json!({"arguments": "a"}), "`arguments` must be an array"),
        (
            json!({"arguments": ["a", "b", "c"]}),
            "`arguments` must not hold more than 2 items",
        ),
        (
            json!({"arguments": ["a", "a"]}),
            "`arguments` must not hold an item twice",
        ),
        (
            json!({"arguments": ["a", "four"]}),
            "`arguments[1]` must not have more than 3 characters",
        ),
        (json!({"metadata": []}), "`metadata` must be an object"),
        (
            json!({"metadata": {"labels": [{"name": "a"}]}}),
            "`metadata.labels[0].value` is missing",
        ),
        (
            json!({"metadata": {"labels": [label, label]}}),
            "`metadata.labels` must not hold an item twice",
        ),
        (
            json!({"metadata": {"createdBy": "me"}}),
            "`metadata.createdBy` must be a UUID of version 4 or 5 in lower case",
        ),
        (
            json!({"metadata": {"creationTimestamp": "now"}}),
            "`metadata.creationTimestamp` must be a timestamp such as 2031-01-02T03:04:05Z",
        ),
        (
            json!({"metadata": {"count": 1}}),
            "`metadata.count` is not a member of this resource",
        ),
    ] {
        assert_eq!(create(extra), expected);
    }
    let reported = failure(Purpose::Replace, &json!({"sum": "b1a4"}));
    assert_eq!(
        reported,
        "`type` is missing; `sum` must be 32 hexadecimal digits"
    );
}

#[test]
fn the_number_of_reported_failures_is_bounded() {
    let many: Value = (0..100)
        .map(|n| (format!("k{n}"), json!(1)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert_eq!(failure(Purpose::Create, &many).matches("; ").count(), 7);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(
                "type|id|name|source|sum|arguments|metadata|labels|value|.{0,4}",
                inner,
                0..5
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_body_panics(body in prop::collection::btree_map("type|id|name|source|sum|arguments|metadata", any_json(), 0..7)) {
        let body = body.into_iter().collect();
        for purpose in [Purpose::Create, Purpose::Replace, Purpose::Reply] {
            let _ = check(SAMPLE, &body, purpose);
        }
    }
}
