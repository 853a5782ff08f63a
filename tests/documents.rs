//! The documents say what is there: every test that they name exists.

use std::fs;
use std::path::Path;

/// The tests that a document names, as `file::function`.
fn named_tests(document: &str) -> Vec<(&str, &str)> {
    document
        .split('`')
        .filter_map(|quoted| quoted.split_once(".rs::"))
        .collect()
}

#[test]
fn every_test_that_the_specification_names_exists() {
    assert_named_tests_exist("docs/SPECIFICATION.md");
}

#[test]
fn every_test_that_the_table_of_attacks_names_exists() {
    assert_named_tests_exist("docs/ATTACKS.md");
}

fn assert_named_tests_exist(document: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join(document)).expect("the document is there");
    let named = named_tests(&text);
    assert!(
        named.len() > 40,
        "{document} names only {} tests",
        named.len()
    );
    for (file, function) in named {
        let code = fs::read_to_string(root.join(format!("{file}.rs")))
            .unwrap_or_else(|error| panic!("{file}.rs: {error}"));
        assert!(
            code.contains(&format!("fn {function}(")),
            "{file}.rs has no test {function}"
        );
    }
}

#[test]
fn every_test_that_the_table_of_limits_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let limits = fs::read_to_string(root.join("docs/limits.md")).unwrap();
    let rows = limits.lines().filter(|line| line.starts_with("| "));
    let untested: Vec<_> = rows
        .filter(|row| !row.starts_with("| what |") && named_tests(row).is_empty())
        .collect();
    assert_eq!(untested, [""; 0]);
    for (file, function) in named_tests(&limits) {
        let code = fs::read_to_string(root.join(format!("{file}.rs")))
            .unwrap_or_else(|error| panic!("{file}.rs: {error}"));
        assert!(
            code.contains(&format!("fn {function}(")),
            "{file}.rs has no test {function}"
        );
    }
}

#[test]
fn every_promise_has_a_number_of_its_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let specification = fs::read_to_string(root.join("docs/SPECIFICATION.md")).unwrap();
    let mut ids: Vec<_> = specification
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" |"))
        .map(|(id, _)| id)
        .filter(|id| *id != "id")
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}
