//! The page about maintenance says what is there.

use std::fs;
use std::path::Path;

use tenterhook_session::{State, TRANSITIONS};

fn page() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join("docs/maintenance.md")).unwrap()
}

#[test]
fn the_table_in_the_page_is_the_table_of_the_machine() {
    let page = page();
    let mut drawn = Vec::new();
    for line in page.lines() {
        if let Some((from, all)) = line.split_once(" -> ") {
            let from: State = from.trim().parse().unwrap();
            let next = all.split(", ").map(|to| (from, to.parse().unwrap()));
            drawn.extend(next);
        }
    }
    assert_eq!(drawn, TRANSITIONS);
}

#[test]
fn every_test_that_the_page_names_exists() {
    let page = page();
    let named: Vec<_> = page
        .split('`')
        .filter_map(|quoted| quoted.split_once(".rs::"))
        .collect();
    assert!(named.len() >= 7);
    for (file, function) in named {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let code = fs::read_to_string(root.join(format!("{file}.rs"))).unwrap();
        assert!(
            code.contains(&format!("fn {function}(")),
            "{file}.rs has no test {function}"
        );
    }
}
