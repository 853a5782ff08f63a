//! Any text as croit's `pagination`, applied to rows from the lines that follow:
//! refused in one plain line, or a page that is cut as it says.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tenterhook_fuzz::assert_is_one_plain_line;
use tenterhook_query::croit::{Page, Pagination, PaginationFault};

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let asked = lines.next().unwrap_or_default();
    let rows = rows(lines);
    check_page(asked, &rows);
    check_negation(asked, &rows);
});

/// The page that a parameter makes of rows, however many steps that takes.
fn page(asked: &str, rows: Vec<Value>) -> Result<Page, PaginationFault> {
    let mut sifting = Pagination::parse(asked)?.sift(rows);
    loop {
        if let Some(page) = sifting.step()? {
            return Ok(page);
        }
    }
}

fn rows<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Value> {
    let said = lines
        .take(16)
        .filter_map(|line| serde_json::from_str(line).ok());
    let mut rows = vec![
        json!({"id": 1, "name": "nic-tune.sh", "serverIds": [1, 2], "allServers": false}),
        json!({"id": 2, "name": "audit", "serverIds": [], "progress": {"total": 4.5}}),
        json!({"id": 10, "name": "Format", "object": null, "serverIds": [2]}),
    ];
    rows.extend(said);
    rows
}

fn check_page(asked: &str, rows: &[Value]) {
    let found = match page(asked, rows.to_vec()) {
        Ok(page) => page,
        Err(fault) => return assert_is_one_plain_line(&fault.to_string()),
    };
    assert!(found.total <= rows.len());
    let rest = found.total.saturating_sub(found.after);
    assert_eq!(found.data.len(), found.limit.unwrap_or(rest).min(rest));
    assert!(found.data.iter().all(|row| rows.contains(row)));
    // The same rows in another order are the same in number.
    if let Ok(turned) = page(asked, rows.iter().rev().cloned().collect()) {
        assert_eq!(turned.total, found.total);
    }
}

/// A row passes a filter or its negation.
fn check_negation(asked: &str, rows: &[Value]) {
    let Ok(Value::Object(asked)) = serde_json::from_str(asked) else {
        return;
    };
    let keeps = |filter: &Value| {
        let asked = json!({"where": filter}).to_string();
        Some(page(&asked, rows.to_vec()).ok()?.total)
    };
    let filter = asked.get("where").cloned().unwrap_or_else(|| json!({}));
    // Negation takes one level and one condition more, which may be too many.
    if let (Some(kept), Some(dropped)) = (keeps(&filter), keeps(&json!({"_not": filter}))) {
        assert_eq!(kept + dropped, rows.len());
    }
}
