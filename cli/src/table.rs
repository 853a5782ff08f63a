//! Prints results as a table, or as JSON.
//!
//! The content of a table was written by tenants: it is neutralized, and each row stays on
//! one line.

use std::io::{self, Write};

use clap::Args;
use serde_json::Value;

use crate::neutral;

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct OutputFormat {
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

/// A column: its heading and how to format its cells.
pub(crate) type Column = (&'static str, fn(&Value) -> String);

impl OutputFormat {
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Prints a list.
    pub(crate) fn print_list(self, items: &[Value], columns: &[Column]) -> anyhow::Result<()> {
        if self.json {
            return print(&format!("{}\n", Value::from(items)));
        }
        print(&table(items, columns))
    }

    /// Prints one item.
    pub(crate) fn print_one(self, item: &Value, columns: &[Column]) -> anyhow::Result<()> {
        if self.json {
            return print(&format!("{item}\n"));
        }
        print(&table(std::slice::from_ref(item), columns))
    }
}

/// Writes to standard output. A closed pipe is not a failure.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Formats a table.
pub(crate) fn table(items: &[Value], columns: &[Column]) -> String {
    let heads = columns.iter().map(|(head, _)| (*head).to_owned()).collect();
    let mut rows: Vec<Vec<String>> = vec![heads];
    rows.extend(items.iter().map(|item| {
        let cell = |(_, show): &Column| match show(item) {
            text if text.is_empty() => "-".to_owned(),
            text => neutral::line(&text).replace('\t', " "),
        };
        columns.iter().map(cell).collect()
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns.len())
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in &rows {
        let line: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Formats a time to the second.
pub(crate) fn time(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::text;

    const COLUMNS: [Column; 2] = [
        ("NAME", |item| text(item, "name").into()),
        ("ROLE", |item| text(item, "role").into()),
    ];

    #[test]
    fn columns_stand_under_each_other() {
        let items = [
            json!({"name": "ünïcode", "role": "owner"}),
            json!({"name": "x"}),
        ];
        assert_eq!(
            table(&items, &COLUMNS),
            "NAME     ROLE\nünïcode  owner\nx        -\n"
        );
    }

    #[test]
    fn a_name_cannot_work_on_the_terminal_or_leave_its_row() {
        let items = [json!({"name": "a\u{1b}[2J\nb\tc\u{202e}", "role": "x"})];
        assert_eq!(
            table(&items, &COLUMNS).lines().nth(1),
            Some("a^[[2J\\nb c\\u{202e}  x")
        );
    }

    #[test]
    fn times_are_shown_to_the_second() {
        assert_eq!(
            time(&json!("2026-05-04T03:02:01.123456Z")),
            "2026-05-04T03:02:01Z"
        );
        assert_eq!(time(&json!("2026-05-04T03:02:01Z")), "2026-05-04T03:02:01Z");
        assert_eq!(time(&Value::Null), "");
    }
}
