//! Any text as the parameters of one of Astra's lists, each on a line of its own,
//! and rows after them: refused in plain lines, or a query that says what was said.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tenterhook_fuzz::assert_is_one_plain_line;
use tenterhook_query::astra::{Compared, Filter, Operator, Query, Refused, Vocabulary};

const VOCABULARY: Vocabulary = Vocabulary {
    members: &["id", "name", "metadata"],
    paths: &[
        ("id", Compared::Text),
        ("name", Compared::Text),
        ("metadata.labels[*].name", Compared::Text),
        ("metadata.creationTimestamp", Compared::Time),
    ],
};

fuzz_target!(|text: &str| {
    let (parameters, rows) = text.split_once("\n\n").unwrap_or((text, ""));
    let parameters = parameters
        .lines()
        .map(|line| line.split_once('=').unwrap_or((line, "")));
    match Query::read(parameters, &VOCABULARY) {
        Ok(query) => {
            assert_ne!(query.limit, Some(0));
            let members = query.include.iter().flatten();
            assert!(members.clone().count() <= 64);
            assert!(
                members
                    .clone()
                    .all(|name| VOCABULARY.members.contains(name))
            );
            check_filter(&query.filter, rows);
        }
        Err(Refused::Unsupported(faults) | Refused::Invalid(faults)) => {
            assert!((1..=16).contains(&faults.len()));
            for fault in faults {
                assert_is_one_plain_line(&format!("`{}` {}", fault.name, fault.reason));
            }
        }
    }
});

fn check_filter(filter: &Filter, rows: &str) {
    if filter.conditions().is_empty() {
        return;
    }
    let said: Vec<String> = filter.conditions().iter().map(print).collect();
    let again = Filter::parse(&said.join(","), &VOCABULARY).expect("what was said can be said");
    assert_eq!(&again, filter);
    let parts: Vec<Filter> = said
        .iter()
        .map(|said| Filter::parse(said, &VOCABULARY).expect("a part can be said alone"))
        .collect();
    let known = json!({"id": "a", "name": "nic", "metadata": {
        "labels": [{"name": "a"}, {"name": "b"}], "creationTimestamp": "2031-01-02T03:04:05Z"}});
    let said = rows
        .lines()
        .take(16)
        .filter_map(|line| serde_json::from_str(line).ok());
    for row in said.chain([known]) {
        let row: Value = row;
        let admits = |filter: &Filter| filter.admits(|name| row.get(name).cloned());
        // All conditions have to hold, each by itself.
        assert_eq!(admits(filter), parts.iter().all(admits));
    }
}

fn print(condition: &tenterhook_query::astra::Condition) -> String {
    let path = condition.path();
    let (_, compared) = VOCABULARY
        .paths
        .iter()
        .find(|(known, _)| *known == path)
        .expect("only known paths are accepted");
    let times = condition.times().map(<[_]>::len);
    let is_time = *compared == Compared::Time;
    assert_eq!(times, is_time.then_some(condition.values().len()));
    let operator = match condition.operator() {
        Operator::Eq => "eq",
        Operator::Lt => "lt",
        Operator::Gt => "gt",
        Operator::Lte => "lte",
        Operator::Gte => "gte",
        Operator::In => "in",
    };
    assert!(operator == "in" || condition.values().len() == 1);
    format!("{path} {operator} '{}'", condition.values().join(","))
}
