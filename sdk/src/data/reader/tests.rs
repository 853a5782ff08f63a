use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Serialize;
use serde_json::json;

use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    text: String,
    small: u8,
    signed: i32,
    ratio: f64,
    flag: bool,
    letter: char,
    unit: (),
    pair: (u8, String),
    list: Vec<Inner>,
    numbered: BTreeMap<u16, Option<bool>>,
    kinds: Vec<Kind>,
    by_kind: BTreeMap<Plain, u8>,
    wrapped: Wrapped,
    #[serde(default)]
    absent: Option<u8>,
    any: Value,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    size: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(i64);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Unit,
    One(u8),
    Two(u8, u8),
    Named { a: u8 },
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Plain {
    First,
    Second,
}

fn everything() -> Value {
    json!({
        "text": "t", "small": 7, "signed": -7, "ratio": 0.5, "flag": true, "letter": "c",
        "unit": null, "pair": [1, "p"], "list": [{"size": 1}, {"size": 2}],
        "numbered": {"1": true, "2": null},
        "kinds": ["unit", {"one": 1}, {"two": [1, 2]}, {"named": {"a": 1}}],
        "by_kind": {"First": 1, "Second": 2},
        "wrapped": -3, "absent": null, "any": {"x": [1, 2.5, null]},
    })
}

/// Where reading `everything`, with one change, as `Everything` fails, and why.
fn fault(change: impl FnOnce(&mut Value)) -> (String, String) {
    let mut value = everything();
    change(&mut value);
    let error = read::<Everything>(&value).unwrap_err();
    (error.member("data"), error.detail)
}

#[test]
fn all_shapes_of_serde_are_read_as_serde_json_reads_them() {
    let value = everything();
    let ours: Everything = read(&value).unwrap();
    assert_eq!(ours, serde_json::from_value(value).unwrap());
}

#[test]
fn text_can_be_borrowed() {
    #[derive(Deserialize)]
    struct Borrowed<'v> {
        text: &'v str,
    }
    let value = everything();
    assert_eq!(read::<Borrowed<'_>>(&value).unwrap().text, "t");
}

#[test]
fn a_fault_is_named_by_its_path() {
    let (member, detail) = fault(|value| value["list"][1]["size"] = json!("two"));
    assert_eq!(member, "data.list[1].size");
    assert_eq!(detail, r#"invalid type: string "two", expected u64"#);

    let (member, detail) = fault(|value| value["kinds"][3]["named"]["a"] = json!(256));
    assert_eq!(member, "data.kinds[3].named.a");
    assert_eq!(detail, "invalid value: integer `256`, expected u8");

    let (member, _) = fault(|value| value["numbered"] = json!({"one": true}));
    assert_eq!(member, "data.numbered");

    let (member, detail) = fault(|value| value["kinds"][0] = json!("odd"));
    assert_eq!(member, "data.kinds[0]");
    assert!(detail.starts_with("unknown variant `odd`"), "{detail}");

    let (member, detail) = fault(|value| value["kinds"][0] = json!([1]));
    assert_eq!(member, "data.kinds[0]");
    assert!(detail.contains("a text, or an object with one member"));
}

#[test]
fn a_missing_member_is_named_by_what_lacks_it() {
    let (member, detail) = fault(|value| {
        value["list"][0].as_object_mut().unwrap().clear();
    });
    assert_eq!(
        (&*member, &*detail),
        ("data.list[0]", "missing field `size`")
    );
}

#[test]
fn a_list_with_more_items_than_are_read_is_refused() {
    for (member, value) in [
        ("list", json!([[0, null]])),
        ("pair", json!([1, "p", 2])),
        ("kinds", json!([{"two": [1, 2, 3]}])),
    ] {
        let mut whole = everything();
        whole[member] = value;
        assert!(read::<Everything>(&whole).is_err(), "{whole}");
        assert!(serde_json::from_value::<Everything>(whole).is_err());
    }
}

/// JSON values, small, and named like the members above.
fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "unit|one|First|[a-z]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let names = "text|small|pair|list|numbered|kinds|by_kind|one|two|named|a|size|[0-9]{1,3}";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..6)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_value_panics_and_both_readers_accept_the_same(
        member in "text|small|signed|ratio|flag|letter|unit|pair|list|numbered|kinds|by_kind|wrapped|absent|any",
        value in json_values(),
    ) {
        let mut whole = everything();
        whole[member] = value;
        let ours = read::<Everything>(&whole);
        let theirs = serde_json::from_value::<Everything>(whole.clone());
        prop_assert_eq!(ours.ok(), theirs.ok(), "{}", whole);
    }
}
