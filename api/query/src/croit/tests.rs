//! What the `pagination` parameter keeps, sorts, cuts and refuses.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Page, Pagination, PaginationFault};

/// The page that a parameter makes of rows, however many steps that takes.
fn page(pagination: &str, rows: Vec<Value>) -> Result<Page, PaginationFault> {
    let mut sifting = Pagination::parse(pagination)?.sift(rows);
    loop {
        if let Some(page) = sifting.step()? {
            return Ok(page);
        }
    }
}

fn rows() -> Vec<Value> {
    vec![
        json!({"id": 1, "name": "nic-tune.sh", "serverIds": [1, 2], "allServers": false}),
        json!({"id": 2, "name": "audit", "serverIds": [], "allServers": true, "progress": {"total": 4}}),
        json!({"id": 10, "name": "format", "object": null, "serverIds": [2]}),
    ]
}

fn ids(pagination: Value) -> Vec<u64> {
    let page = page(&pagination.to_string(), rows()).unwrap();
    page.data
        .iter()
        .map(|row| row["id"].as_u64().unwrap())
        .collect()
}

fn kept(filter: Value) -> Vec<u64> {
    ids(json!({ "where": filter }))
}

fn refused(pagination: &str) -> String {
    Pagination::parse(pagination).unwrap_err().to_string()
}

#[test]
fn an_empty_request_returns_everything_in_order() {
    assert_eq!(ids(json!({})), [1, 2, 10]);
    assert_eq!(
        ids(json!({"after": null, "limit": null, "sortBy": null, "where": null})),
        [1, 2, 10]
    );
}

#[test]
fn paging_follows_sorting_and_the_total_precedes_paging() {
    let text = r#"{"after":1,"limit":1,"sortBy":[{"column":"name","order":"DESC"}]}"#;
    let page = page(text, rows()).unwrap();
    assert_eq!(page.data[0]["name"], "format");
    assert_eq!((page.total, page.after, page.limit), (3, 1, Some(1)));
}

#[test]
fn an_offset_beyond_the_end_gives_an_empty_page() {
    assert_eq!(ids(json!({"after": 7_000_000_000_u64})), [0_u64; 0]);
}

#[test]
fn numbers_are_compared_as_numbers() {
    assert_eq!(kept(json!({"id": {"_gt": "2"}})), [10]);
    assert_eq!(kept(json!({"id": {"_gte": 2, "_lt": "10"}})), [2]);
    assert_eq!(kept(json!({"id": {"_eq": "2.0"}})), [2]);
    assert_eq!(
        ids(json!({"sortBy": [{"column": "id", "order": "DESC"}]})),
        [10, 2, 1]
    );
}

#[test]
fn every_operator_does_what_its_name_says() {
    assert_eq!(kept(json!({"name": {"_eq": "audit"}})), [2]);
    assert_eq!(kept(json!({"name": {"_neq": "audit"}})), [1, 10]);
    assert_eq!(kept(json!({"name": {"_regex": "^[a-f]"}})), [2, 10]);
    assert_eq!(kept(json!({"name": {"_in": ["audit", "format"]}})), [2, 10]);
    assert_eq!(kept(json!({"name": {"_in": "an audit log"}})), [2]);
    assert_eq!(kept(json!({"name": {"_nin": ["audit"]}})), [1, 10]);
    assert_eq!(kept(json!({"name": {"_contains": "tune"}})), [1]);
    assert_eq!(kept(json!({"serverIds": {"_contains": "2"}})), [1, 10]);
    assert_eq!(kept(json!({"allServers": {"_eq": "true"}})), [2]);
    assert_eq!(kept(json!({"name": {"_lte": "audit"}})), [2]);
}

#[test]
fn conditions_combine() {
    assert_eq!(
        kept(json!({"_or": [{"id": {"_eq": "1"}}, {"id": {"_eq": "2"}}]})),
        [1, 2]
    );
    assert_eq!(
        kept(json!({"_and": [{"id": {"_gt": "1"}}, {"_not": {"id": {"_eq": "2"}}}]})),
        [10]
    );
    assert_eq!(kept(json!({"_search": "AUDIT"})), [2]);
    assert_eq!(kept(json!({"_or": []})), [0_u64; 0]);
    assert_eq!(kept(json!({"progress.total": {"_eq": "4"}})), [2]);
}

#[test]
fn a_field_without_a_value_equals_nothing() {
    assert_eq!(kept(json!({"object": {"_eq": "null"}})), [0_u64; 0]);
    assert_eq!(kept(json!({"object": {"_neq": "x"}})), [1, 2, 10]);
}

#[test]
fn nonsense_is_refused_by_name() {
    let lines = [
        r#"{"#,
        r#"{"limit":-1}"#,
        r#"{"page":1}"#,
        r#"{"sortBy":[{"column":"a","order":"UP"}]}"#,
        r#"{"where":{"name":"x"}}"#,
        r#"{"where":{"name":{"_like":"x"}}}"#,
        r#"{"where":{"_xor":[]}}"#,
        r#"{"where":{"name":{"_regex":"("}}}"#,
        r#"{"where":{"name":{"_regex":"(\\w{500}){500}"}}}"#,
    ]
    .map(refused);
    insta::assert_snapshot!(lines.join("\n"), @r#"
    `pagination`: cannot be read as JSON: EOF while parsing an object at line 1 column 1
    `pagination`: `limit` must not be negative
    `pagination`: cannot be read as JSON: unknown field `page`, expected one of `after`, `limit`, `sortBy`, `where` at line 1 column 7
    `pagination`: cannot be read as JSON: unknown variant `UP`, expected `ASC` or `DESC` at line 1 column 37
    `pagination`: `name` must be an object of conditions
    `pagination`: `name` has the unknown operator `_like`; known are _eq, _neq, _gt, _gte, _lt, _lte, _regex, _in, _nin, _contains
    `pagination`: `_xor` is not one of `_and`, `_or`, `_not`, `_search` or a field
    `pagination`: `name` has a regular expression that cannot be read
    `pagination`: `name` has a regular expression that is too large
    "#);
}

#[test]
fn a_refusal_quotes_names_on_one_plain_line() {
    let long = format!(r#"{{"where":{{"_{}":1}}}}"#, "x".repeat(10_000));
    for asked in [
        r#"{"where":{"_x\n\u001b[2J\u2028":1}}"#,
        r#"{"where":{"na\u0007me":{"_like":1}}}"#,
        r#"{"where":{"name":{"_\u2029":1}}}"#,
        r#"{"pa\u001bge":1}"#,
        r#"{"sortBy":[{"column":"a","order":"U\u001bP"}]}"#,
        &long,
    ] {
        let text = refused(asked);
        let odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        assert!(!text.contains(odd), "{text:?}");
        assert!(text.chars().count() <= 1_000, "{} bytes", text.len());
    }
}

#[test]
fn depth_size_and_number_of_conditions_are_bounded() {
    let deep = "{\"_not\":".repeat(40) + "{}" + &"}".repeat(40);
    assert!(refused(&format!("{{\"where\":{deep}}}")).contains("nested deeper"));
    let wide = (0..300)
        .map(|n| format!("\"f{n}\":{{}}"))
        .collect::<Vec<_>>()
        .join(",");
    assert!(refused(&format!("{{\"where\":{{{wide}}}}}")).contains("more than 256 conditions"));
    assert!(refused(&" ".repeat(20_000)).contains("longer than"));
    let regexes = r#"{"a":{"_regex":"x"}}"#.to_owned() + &r#",{"a":{"_regex":"x"}}"#.repeat(8);
    assert!(
        refused(&format!("{{\"where\":{{\"_and\":[{regexes}]}}}}")).contains("regular expressions")
    );
}

/// A filter that takes ten milliseconds for each of these rows.
fn costly(rows: usize) -> (String, Vec<Value>) {
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    let mut letter = || {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        if noise & 1 == 0 { 'a' } else { 'b' }
    };
    let mut row = || json!({"name": (0..1024).map(|_| letter()).collect::<String>()});
    let rows = (0..rows).map(|_| row()).collect();
    let filter = json!({"where": {"name": {"_regex": "([ab]{1,500}a)+[c-z]"}}});
    (filter.to_string(), rows)
}

#[test]
fn a_filter_that_takes_too_long_is_refused() {
    // A hundred times what is allowed.
    let (filter, rows) = costly(5_000);
    assert_eq!(
        page(&filter, rows).unwrap_err().to_string(),
        "`pagination`: `where` takes too long for this list; ask for less"
    );
}

#[test]
fn a_slow_filter_yields_between_two_rows() {
    let (filter, rows) = costly(2);
    let mut sifting = Pagination::parse(&filter).unwrap().sift(rows);
    assert!(sifting.step().unwrap().is_none());
    assert_eq!(sifting.step().unwrap().unwrap().total, 0);
}

fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("_and".to_owned()),
        Just("_or".to_owned()),
        Just("_not".to_owned()),
        Just("_search".to_owned()),
        Just("_eq".to_owned()),
        Just("_in".to_owned()),
        Just("_regex".to_owned()),
        Just("_gt".to_owned()),
        Just("name".to_owned()),
        Just("serverIds".to_owned()),
        "\\PC{0,6}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_filter_over_any_rows_panics(filter in any_json(), rows in prop::collection::vec(any_json(), 0..6)) {
        let total = rows.len();
        if let Ok(page) = page(&json!({"where": filter}).to_string(), rows) {
            prop_assert!(page.total <= total);
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        let _ = Pagination::parse(&text);
    }

    #[test]
    fn a_filter_and_its_negation_partition_the_rows(operand in "[a-z0-9]{0,3}", rows in prop::collection::vec(any_json(), 0..8)) {
        let keep = |filter: Value| {
            page(&json!({"where": filter}).to_string(), rows.clone()).unwrap().total
        };
        let one = json!({"name": {"_contains": operand}});
        prop_assert_eq!(keep(one.clone()) + keep(json!({"_not": one})), rows.len());
    }

    #[test]
    fn sorting_loses_no_row(column in "[a-z]{1,4}", rows in prop::collection::vec(any_json(), 0..8)) {
        let total = rows.len();
        let text = json!({"sortBy": [{"column": column, "order": "ASC"}]}).to_string();
        prop_assert_eq!(page(&text, rows).unwrap().data.len(), total);
    }
}
