//! What is read, what is refused, and that no text makes the reader panic.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const WORDS: Vocabulary = Vocabulary {
    members: &["name", "id", "metadata", "arguments"],
    paths: &[
        ("name", Compared::Text),
        ("id", Compared::Text),
        ("arguments[*]", Compared::Text),
        ("metadata.labels[*].name", Compared::Text),
        ("metadata.creationTimestamp", Compared::Time),
    ],
};

fn read(parameters: &[(&str, &str)]) -> Result<Query, Refused> {
    Query::read(parameters.iter().copied(), &WORDS)
}

fn refused(name: &str, value: &str) -> String {
    match read(&[(name, value)]) {
        Err(Refused::Invalid(faults)) => {
            assert_eq!((faults.len(), faults[0].name.as_str()), (1, name));
            faults[0].reason.clone()
        }
        other => panic!("{name}={value}: {other:?}"),
    }
}

fn admits(filter: &str) -> bool {
    let item = json!({
        "name": "pg-freeze", "id": "0b7c", "arguments": ["freeze", "10"],
        "metadata": {
            "labels": [{"name": "tier", "value": "db"}, {"name": "site", "value": "b"}],
            "creationTimestamp": "2031-01-02T03:04:05.5Z",
        },
    });
    let filter = Filter::parse(filter, &WORDS).unwrap_or_else(|error| panic!("{filter}: {error}"));
    filter.admits(|name| item.get(name).cloned())
}

#[test]
fn every_operator_compares() {
    for (filter, expected) in [
        ("name eq 'pg-freeze'", true),
        ("name eq 'PG-freeze'", false),
        ("name lt 'q'", true),
        ("name gt 'q'", false),
        ("name lte 'pg-freeze'", true),
        ("name gte 'pg-freeze'", true),
        ("name gt 'pg-freeze'", false),
        ("name in 'a,pg-freeze,b'", true),
        ("name in 'a,b'", false),
        ("name  eq%20'pg-freeze'", true),
        ("name eq 'pg-freeze',id eq '0b7c'", true),
        ("name eq 'pg-freeze',id eq '0b7d'", false),
        ("metadata.labels[*].name eq 'site'", true),
        ("metadata.labels[*].name eq 'sites'", false),
        ("arguments[*] eq '10'", true),
        (
            "metadata.creationTimestamp eq '2031-01-02T03:04:05,500Z'",
            true,
        ),
        (
            "metadata.creationTimestamp lt '2031-01-02T03:04:05.50001Z'",
            true,
        ),
        ("metadata.creationTimestamp gt '2031-01-02T03:04:05Z'", true),
        (
            "metadata.creationTimestamp lte '2031-01-02T03:04:05Z'",
            false,
        ),
    ] {
        assert_eq!(admits(filter), expected, "{filter}");
    }
}

#[test]
fn an_absent_member_meets_no_condition() {
    let filter = Filter::parse("name lte 'zzz'", &WORDS).unwrap();
    assert!(!filter.admits(|_| None));
    assert!(!filter.admits(|_| Some(Value::Null)));
}

#[test]
fn a_filter_in_another_form_is_refused() {
    for filter in [
        "",
        "name",
        "name eq",
        "name eq x",
        "name eq 'x",
        "name eq ''",
        "name ne 'x'",
        "name EQ 'x'",
        "nameeq 'x'",
        "name eq'x'",
        "name eq 'x' or id eq 'y'",
        "name eq 'x',",
        ",name eq 'x'",
        "name eq 'x'y",
        "names eq 'x'",
        "metadata eq 'x'",
        "labels[*] eq 'x'",
        "arguments eq 'x'",
        "name eq 'ä'",
        "name eq 'a(b'",
        "name eq 'a\0'",
        "metadata.creationTimestamp eq 'yesterday'",
        "metadata.creationTimestamp lt '2031-13-01T00:00:00Z'",
    ] {
        assert!(!refused("filter", filter).is_empty());
    }
    let many = vec!["name eq 'x'"; 65].join(",");
    assert!(refused("filter", &many).contains("64"));
    assert!(refused("filter", &format!("name in '{}'", "a,".repeat(1000))).contains("1000"));
}

#[test]
fn a_limit_is_a_whole_number_from_one() {
    assert_eq!(read(&[("limit", "7")]).unwrap().limit, Some(7));
    let huge = "9".repeat(40);
    assert_eq!(read(&[("limit", &huge)]).unwrap().limit, Some(usize::MAX));
    for limit in ["", "0", "07", "-1", "+1", "1.5", "x", " 1", "1 "] {
        refused("limit", limit);
    }
}

#[test]
fn include_names_members_in_any_order() {
    let query = read(&[("include", "id,name,id")]).unwrap();
    assert_eq!(query.include, Some(vec!["id", "name", "id"]));
    for include in ["", ",", "name,", "names", "name, id", "metadata.labels"] {
        refused("include", include);
    }
    assert!(refused("include", &vec!["id"; 65].join(",")).contains("64"));
}

#[test]
fn unknown_parameters_are_reported_before_bad_ones_and_named_once() {
    let Err(Refused::Unsupported(faults)) = read(&[("skip", "1"), ("limit", "0"), ("skip", "2")])
    else {
        panic!("not refused as unsupported");
    };
    assert_eq!((faults.len(), faults[0].name.as_str()), (1, "skip"));
    assert!(matches!(
        read(&[("limit", "1"), ("limit", "1")]),
        Err(Refused::Invalid(_))
    ));
}

#[test]
fn a_reason_stays_on_one_line_whatever_it_quotes() {
    let reason = refused("filter", "a\u{2028}b\u{2029}c eq '1'");
    assert!(!reason.contains(['\u{2028}', '\u{2029}']), "{reason:?}");
}

proptest! {
    #[test]
    fn no_query_panics(name in "include|limit|filter|.*", value in ".*") {
        let _ = read(&[(&name, &value)]);
    }

    #[test]
    fn no_almost_valid_filter_panics(text in "((name|arguments\\[\\*\\]|metadata\\.[a-z]*)( |%20)*(eq|in|lt|x)? ?'?[a-z,'Z0-9:T-]{0,30}'?,?){0,4}") {
        if let Ok(filter) = Filter::parse(&text, &WORDS) {
            let _ = filter.admits(|_| Some(json!("x")));
            prop_assert!(!filter.conditions().is_empty());
        }
    }

    #[test]
    fn a_timestamp_is_read_back(seconds in 0_i64..253_402_300_799, nanos in 0_u32..1_000_000_000) {
        let time = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap().replace_nanosecond(nanos).unwrap();
        prop_assert_eq!(parse_timestamp(&print_timestamp(time)), Some(time));
    }

    #[test]
    fn no_timestamp_panics(text in "[0-9TZ:.,ä-]{0,32}") {
        let _ = parse_timestamp(&text);
    }
}
