//! Prints results as a table, or as JSON.
//!
//! The content of a table was written by tenants: it is neutralized, and each row stays on
//! one line.

use std::borrow::Borrow;
use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use crate::neutral;

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct OutputFormat {
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

/// A column: its heading and how to format its cells.
pub(crate) type Column<T> = (&'static str, fn(&T) -> String);

impl OutputFormat {
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Prints a list.
    pub(crate) fn print_list<T, R: Borrow<T> + Serialize>(
        self,
        items: &[R],
        columns: &[Column<T>],
    ) -> anyhow::Result<()> {
        if self.json {
            return print_json(&items);
        }
        print(&table(items, columns))
    }

    /// Prints one item.
    pub(crate) fn print_one<T, R: Borrow<T> + Serialize>(
        self,
        item: &R,
        columns: &[Column<T>],
    ) -> anyhow::Result<()> {
        if self.json {
            return print_json(item);
        }
        print(&table(std::slice::from_ref(item), columns))
    }

    /// Reports what was done to the item with this id, such as `{"deleted": "ID"}`; as text,
    /// success needs no words.
    pub(crate) fn print_done(self, done: &str, id: &str) -> anyhow::Result<()> {
        if self.json {
            return print_json(&serde_json::json!({ done: id }));
        }
        Ok(())
    }
}

/// Prints a value as JSON on a line.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&format!("{}\n", serde_json::to_string(value)?))
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
pub(crate) fn table<T, R: Borrow<T>>(items: &[R], columns: &[Column<T>]) -> String {
    let heads = columns.iter().map(|(head, _)| (*head).to_owned()).collect();
    let mut rows: Vec<Vec<String>> = vec![heads];
    rows.extend(items.iter().map(|item| {
        let cell = |(_, show): &Column<T>| match show(item.borrow()) {
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

/// Formats a time to the second; empty if there is none.
pub(crate) fn time<'a>(text: impl Into<Option<&'a str>>) -> String {
    let text = text.into().unwrap_or_default();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column<[&str; 2]>; 2] = [
        ("NAME", |item| item[0].to_owned()),
        ("ROLE", |item| item[1].to_owned()),
    ];

    #[test]
    fn columns_are_aligned() {
        let items = [["ünïcode", "owner"], ["x", ""]];
        assert_eq!(
            table(&items, &COLUMNS),
            "NAME     ROLE\nünïcode  owner\nx        -\n"
        );
    }

    #[test]
    fn a_name_cannot_control_the_terminal_or_leave_its_row() {
        let items = [["a\u{1b}[2J\nb\tc\u{202e}", "x"]];
        assert_eq!(
            table(&items, &COLUMNS).lines().nth(1),
            Some("a^[[2J\\nb c\\u{202e}  x")
        );
    }

    #[test]
    fn times_are_shown_to_the_second() {
        assert_eq!(time("2026-05-04T03:02:01.123456Z"), "2026-05-04T03:02:01Z");
        assert_eq!(time("2026-05-04T03:02:01Z"), "2026-05-04T03:02:01Z");
        assert_eq!(time(None::<&str>), "");
    }
}
