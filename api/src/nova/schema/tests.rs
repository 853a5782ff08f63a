//! Each fault of a request in Nova's exact words, and no panic whatever is sent.

use proptest::prelude::*;

use super::*;

const ID: &str = "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa";

fn read_at(body: &str, version: Microversion) -> Result<Vec<Asked>, String> {
    read(&Json::read(body.as_bytes()).unwrap(), version)
}

#[track_caller]
fn assert_refused(body: &str, message: &str) {
    assert_eq!(read_at(body, Microversion::MIN).unwrap_err(), message);
}

/// A request with one event, to whose members `more` belongs.
fn with(more: &str) -> String {
    format!(r#"{{"events":[{{"name":"network-changed","server_uuid":"{ID}"{more}}}]}}"#)
}

#[test]
fn a_body_has_to_be_an_object() {
    assert_refused("null", "None is not of type 'object'");
    assert_refused("[]", "[] is not of type 'object'");
    assert_refused("true", "True is not of type 'object'");
    assert_refused("\"x\"", "'x' is not of type 'object'");
}

#[test]
fn a_body_has_events_and_nothing_else() {
    assert_refused("{}", "'events' is a required property");
    assert_refused(r#"{"z":1}"#, "'events' is a required property");
    let one = with("").replacen('{', r#"{"z":1,"#, 1);
    let text = "Additional properties are not allowed ('z' was unexpected)";
    assert_refused(&one, text);
    let two = one.replacen('{', r#"{"y":[],"#, 1);
    let text = "Additional properties are not allowed ('y', 'z' were unexpected)";
    assert_refused(&two, text);
}

#[test]
fn events_are_a_non_empty_list() {
    for (body, value, reason) in [
        (r#"{"events":[]}"#, "[]", "[] should be non-empty"),
        (r#"{"events":"foo"}"#, "foo", "'foo' is not of type 'array'"),
        (r#"{"events":null}"#, "None", "None is not of type 'array'"),
        (
            r#"{"events":{"a":1}}"#,
            "{'a': 1}",
            "{'a': 1} is not of type 'array'",
        ),
    ] {
        let text = format!("Invalid input for field/attribute events. Value: {value}. {reason}");
        assert_refused(body, &text);
    }
}

#[test]
fn an_event_is_an_object_with_a_name_and_a_server() {
    for (event, value, reason) in [
        ("5", "5", "5 is not of type 'object'"),
        ("null", "None", "None is not of type 'object'"),
        ("{}", "{}", "'server_uuid' is a required property"),
        (
            r#"{"name":"network-changed"}"#,
            "{'name': 'network-changed'}",
            "'server_uuid' is a required property",
        ),
        (
            r#"{"server_uuid":"aaaaaaaa111141118111aaaaaaaaaaaa"}"#,
            "{'server_uuid': 'aaaaaaaa111141118111aaaaaaaaaaaa'}",
            "'name' is a required property",
        ),
    ] {
        let text = format!("Invalid input for field/attribute 0. Value: {value}. {reason}");
        assert_refused(&format!(r#"{{"events":[{event}]}}"#), &text);
    }
    let second = format!(r#"{{"events":[{{"name":"network-changed","server_uuid":"{ID}"}},7]}}"#);
    let text = "Invalid input for field/attribute 1. Value: 7. 7 is not of type 'object'";
    assert_refused(&second, text);
}

#[test]
fn an_event_has_no_other_members() {
    let value = format!("{{'name': 'network-changed', 'server_uuid': '{ID}', 'x': {{'k': []}}}}");
    let text = format!(
        "Invalid input for field/attribute 0. Value: {value}. Additional properties are not allowed ('x' was unexpected)"
    );
    assert_refused(&with(r#","x":{"k":[]}"#), &text);
}

#[test]
fn members_of_a_wrong_type_or_value_are_named() {
    let long = "x".repeat(256);
    let names = "['network-changed', 'network-vif-plugged', 'network-vif-unplugged', 'network-vif-deleted']";
    for (member, value, reason) in [
        ("name", "\"x\"", format!("x. 'x' is not one of {names}")),
        (
            "name",
            "\"test-event\"",
            format!("test-event. 'test-event' is not one of {names}"),
        ),
        ("name", "5", "5. 5 is not of type 'string'".into()),
        ("server_uuid", "\"zz\"", "zz. 'zz' is not a 'uuid'".into()),
        (
            "server_uuid",
            "null",
            "None. None is not of type 'string'".into(),
        ),
        (
            "status",
            "\"x\"",
            "x. 'x' is not one of ['failed', 'completed', 'in-progress']".into(),
        ),
        (
            "status",
            "null",
            "None. None is not of type 'string'".into(),
        ),
        ("tag", "null", "None. None is not of type 'string'".into()),
        ("tag", "true", "True. True is not of type 'string'".into()),
        (
            "tag",
            &format!("\"{long}\""),
            format!("{long}. '{long}' is too long"),
        ),
    ] {
        // The last of two members of a name counts.
        let body = with(&format!(r#","{member}":{value}"#));
        let text = format!("Invalid input for field/attribute {member}. Value: {reason}");
        assert_refused(&body, &text);
    }
}

#[test]
fn of_several_faults_the_first_of_the_schema_is_reported() {
    let body = r#"{"z":1,"events":[{"x":1,"tag":null,"name":"x","server_uuid":"zz"}]}"#;
    let text = "Invalid input for field/attribute server_uuid. Value: zz. 'zz' is not a 'uuid'";
    assert_refused(body, text);
}

#[test]
fn a_name_is_known_from_its_version_on() {
    for (name, minor) in [
        ("network-changed", 1),
        ("volume-extended", 51),
        ("power-update", 76),
        ("accelerator-request-bound", 82),
        ("volume-reimaged", 93),
    ] {
        let body = with(&format!(r#","name":"{name}""#));
        let read = |minor| read_at(&body, Microversion::of(minor));
        assert_eq!(read(minor).unwrap()[0].name.name, name);
        assert_eq!(read(104).unwrap()[0].name.name, name);
        if minor > 1 {
            let text = read(minor - 1).unwrap_err();
            assert!(
                text.contains(&format!("'{name}' is not one of [")),
                "{text}"
            );
        }
    }
}

#[test]
fn a_tag_is_counted_in_characters() {
    let tag = "\u{e4}".repeat(255);
    let asked = read_at(&with(&format!(r#","tag":"{tag}""#)), Microversion::MIN).unwrap();
    assert_eq!(asked[0].tag.as_deref(), Some(&*tag));
}

#[test]
fn an_error_quotes_the_rejected_value() {
    let body =
        with(r#","server_uuid":"{AAAAAAAA111141118111AAAAAAAAAAAA}","status":"failed","tag":"""#);
    let asked = read_at(&body, Microversion::MIN).unwrap();
    assert_eq!(asked[0].server.to_string(), ID);
    assert_eq!(asked[0].status(), "failed");
    let expected = serde_json::json!({
        "name": "network-changed", "server_uuid": "{AAAAAAAA111141118111AAAAAAAAAAAA}",
        "status": "completed", "code": 200, "tag": "",
    });
    assert_eq!(asked[0].answer(200, "completed"), expected);
}

#[test]
fn a_refusal_is_short_however_much_was_sent() {
    let members: Vec<_> = (0..5_000)
        .map(|n| format!(r#","member-{n}":"{n}""#))
        .collect();
    let many = with(&members.concat());
    let long = with(&format!(r#","{}":1"#, "x".repeat(100_000)));
    let tag = with(&format!(r#","tag":"{}""#, "x".repeat(100_000)));
    for body in [many, long, tag] {
        let text = read_at(&body, Microversion::MIN).unwrap_err();
        assert!(text.chars().count() < 10_000, "{text}");
    }
}

/// JSON that often comes near to a request.
fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(|n| Json::Number(n.into())),
        "network-changed|volume-extended|completed|aaaaaaaa111141118111aaaaaaaaaaaa|.{0,8}"
            .prop_map(Json::Text),
    ];
    let name = "events|name|server_uuid|status|tag|.{0,3}";
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::List),
            prop::collection::btree_map(name, inner, 0..5)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_panics_and_every_refusal_is_short(
        value in json(),
        wrapped in 0usize..3,
        minor in 1u16..=104,
    ) {
        let list = || Json::List(vec![value.clone()]);
        let body = match wrapped {
            0 => value.clone(),
            1 => Json::Object(vec![("events".into(), value.clone())]),
            _ => Json::Object(vec![("events".into(), list())]),
        };
        match read(&body, Microversion::of(minor)) {
            Ok(asked) => prop_assert!(!asked.is_empty()),
            Err(text) => {
                prop_assert!(text.chars().count() < 10_000);
                prop_assert!(!text.chars().any(char::is_control));
            }
        }
    }
}
