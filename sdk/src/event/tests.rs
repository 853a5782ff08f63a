//! What is an event and what is not, and that neither does harm.

use proptest::prelude::*;

use super::*;

#[test]
fn an_event_keeps_its_extension_attributes() {
    let json = br#"{"specversion":"1.0","id":"1","source":"/a","type":"OnAudit","serverid":7}"#;
    let event = Event::parse(json).unwrap();
    assert_eq!(event.server(), Some(&Value::from(7)));
    let printed = serde_json::to_value(&event).unwrap();
    assert_eq!(printed["serverid"], 7);
}

#[test]
fn a_missing_attribute_is_named() {
    let fault = Event::parse(br#"{"specversion":"1.0","id":"1","type":"x"}"#).unwrap_err();
    assert_eq!(fault.to_string(), "`source`: is required");
}

#[test]
fn an_attribute_of_another_type_is_named_and_null_is_none() {
    let event = |time: &str| {
        let json = format!(
            r#"{{"specversion":"1.0","id":"1","source":"/a","type":"x","data":null,"time":{time}}}"#
        );
        Event::parse(json.as_bytes())
    };
    assert_eq!(
        event("7").unwrap_err().to_string(),
        "`time`: must be a string"
    );
    let event = event("null").unwrap();
    assert_eq!((event.time, event.data), (None, None));
}

#[test]
fn manual_and_serde_parsing_read_events_alike() {
    let json = r#"{"specversion":"1.0","id":"1","source":"/a","type":"x","subject":"s","time":null,"data":[1],"serverid":7,"odd":null}"#;
    let event: Event = serde_json::from_str(json).unwrap();
    assert_eq!(Event::parse(json.as_bytes()).unwrap(), event);
}

#[test]
fn names_reserved_by_a_parser_are_refused_at_any_depth() {
    let data = [
        r#""data":{"a":1,"$serde_json::private::RawValue":"[2]"}"#,
        r#""data":[{"b":{"a":1,"$serde_json::private::Number":"2"}}]"#,
        r#""x":{"a":1,"$serde_json::private::RawValue":"[2]"}"#,
        r#""$serde_json::private::RawValue":"[2]""#,
    ];
    for data in data {
        let json = format!(r#"{{"specversion":"1.0","id":"1","source":"/a","type":"x",{data}}}"#);
        let fault = Event::parse(json.as_bytes()).unwrap_err();
        assert!(fault.detail.contains("begins with"), "{fault}");
    }
}

#[test]
fn data_in_two_forms_is_refused() {
    let json =
        br#"{"specversion":"1.0","id":"1","source":"/a","type":"x","data":1,"data_base64":"AA=="}"#;
    assert_eq!(Event::parse(json).unwrap_err().attribute, "data_base64");
}

#[test]
fn an_event_of_ten_thousand_levels_is_refused() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let json =
        format!(r#"{{"specversion":"1.0","id":"1","source":"/a","type":"x","data":{deep}}}"#);
    assert_eq!(Event::parse(json.as_bytes()).unwrap_err().attribute, "");
}

#[test]
fn data_of_a_hundred_levels_is_accepted_and_of_one_more_refused() {
    let event = |levels| {
        let data = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let json =
            format!(r#"{{"specversion":"1.0","id":"1","source":"/a","type":"x","data":{data}}}"#);
        Event::parse(json.as_bytes())
    };
    assert!(event(100).is_ok());
    assert_eq!(event(101).unwrap_err().attribute, "data");
}

#[test]
fn levels_cannot_hide_in_the_text_that_a_parser_unfolds() {
    // With serde_json's `raw_value`, this member stands for the JSON in its text.
    let levels = format!("{}{}", "[".repeat(90), "]".repeat(90));
    let hidden = serde_json::json!({ "$serde_json::private::RawValue": levels });
    let json = format!(
        r#"{{"specversion":"1.0","id":"1","source":"/a","type":"x","data":{}{hidden}{}}}"#,
        "[".repeat(90),
        "]".repeat(90),
    );
    if let Ok(event) = Event::parse(json.as_bytes()) {
        let printed = serde_json::to_vec(&event).unwrap();
        assert_eq!(Event::parse(&printed).as_ref(), Ok(&event));
    }
}

/// JSON values, small and odd.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Eighths are exact in binary and in decimal.
        any::<i32>().prop_map(|n| (f64::from(n) / 8.0).into()),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,8}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
        let _ = Event::parse(&bytes);
        let _ = Event::parse(text.as_bytes());
    }

    #[test]
    fn no_attributes_panic_and_what_is_accepted_is_read_back(
        attributes in prop::collection::vec(
            ("specversion|id|source|type|subject|time|data|data_base64|serverid|[a-z]{1,3}", json()),
            0..6,
        ),
        whole in any::<bool>(),
    ) {
        let mut map = Map::new();
        if whole {
            for (name, text) in [("specversion", "1.0"), ("id", "1"), ("source", "/a"), ("type", "x")] {
                map.insert(name.into(), text.into());
            }
        }
        map.extend(attributes);
        if let Ok(event) = Event::from_value(map.into()) {
            let printed = serde_json::to_vec(&event).unwrap();
            let again = Event::parse(&printed).unwrap();
            prop_assert_eq!(serde_json::to_vec(&again).unwrap(), printed);
        }
    }
}

#[test]
fn control_characters_do_not_enter_through_an_id() {
    let json = br#"{"specversion":"1.0","id":"a\u001b[2J","source":"/a","type":"x"}"#;
    assert_eq!(Event::parse(json).unwrap_err().attribute, "id");
}
