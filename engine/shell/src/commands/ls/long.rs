//! The long format: mode, links, owner, group, size, time, name.

use super::super::date::Stamp;
use super::super::options::Given;
use super::entry::{Entry, blocks};
use bashkit::{FileType, Metadata};
use std::time::{Duration, SystemTime};

/// Half a year: older files show their year instead of the time of day.
const RECENT: Duration = Duration::from_secs(31_556_952 / 2);

pub(super) fn is_long(given: &Given) -> bool {
    ['l', 'n', 'g', 'o', '+']
        .into_iter()
        .any(|option| given.has(option))
}

/// The line above a folder's listing.
pub(super) fn total(entries: &[Entry], given: &Given) -> String {
    let blocks: u64 = entries.iter().map(|entry| blocks(&entry.meta)).sum();
    let shown = if given.has('h') {
        human(blocks << 10)
    } else {
        blocks.to_string()
    };
    format!("total {shown}\n")
}

/// One line for each entry, in columns.
pub(super) fn lines(entries: &[Entry], given: &Given) -> String {
    let rows: Vec<[String; 4]> = entries.iter().map(|entry| row(entry, given)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let (size, time) = (width(2), width(3));
    let mut out = String::new();
    for (entry, [mode, owner, bytes, when]) in entries.iter().zip(&rows) {
        out += &format!(
            "{mode} {owner}{bytes:>size$} {when:>time$} {}",
            entry.shown(given)
        );
        if let Some(target) = &entry.target {
            out += &format!(" -> {target}");
        }
        out.push('\n');
    }
    out
}

fn row(entry: &Entry, given: &Given) -> [String; 4] {
    let user = if given.has('n') { "0" } else { "root" };
    let mut owner = String::from(if entry.is_folder() { "2 " } else { "1 " });
    if !given.has('g') {
        owner += &format!("{user} ");
    }
    if !given.has('o') && !given.has('G') {
        owner += &format!("{user} ");
    }
    let size = entry.meta.size;
    let size = if given.has('h') {
        human(size)
    } else {
        size.to_string()
    };
    [mode(&entry.meta), owner, size, time(&entry.meta, given)]
}

/// `-rwxr-x---` and its like.
fn mode(meta: &Metadata) -> String {
    let kind = match meta.file_type {
        FileType::File => '-',
        FileType::Directory => 'd',
        FileType::Symlink => 'l',
        FileType::Fifo => 'p',
    };
    let mut shown = String::from(kind);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = meta.mode >> shift;
        shown.push(if bits & 4 != 0 { 'r' } else { '-' });
        shown.push(if bits & 2 != 0 { 'w' } else { '-' });
        shown.push(match (bits & 1 != 0, meta.mode & special != 0) {
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    shown
}

fn time(meta: &Metadata, given: &Given) -> String {
    let style = if given.has('+') {
        Some("full-iso")
    } else {
        given.value('-')
    };
    let age = SystemTime::now().duration_since(meta.modified);
    let recent = age.is_ok_and(|age| age < RECENT);
    let format = match style {
        Some("full-iso") => "%Y-%m-%d %H:%M:%S.%N %z",
        Some("long-iso") => "%Y-%m-%d %H:%M",
        Some("iso") if recent => "%m-%d %H:%M",
        Some("iso") => "%Y-%m-%d ",
        Some(own) if own.starts_with('+') => &own[1..],
        _ if recent => "%b %e %H:%M",
        _ => "%b %e  %Y",
    };
    Stamp(meta.modified).format(format)
}

/// `1.5K`, rounded up as `ls -h` does.
fn human(bytes: u64) -> String {
    let mut unit = 1_u64;
    for letter in ["", "K", "M", "G", "T"] {
        let tenths = (bytes * 10).div_ceil(unit);
        if letter.is_empty() && bytes < 1024 {
            return bytes.to_string();
        }
        if !letter.is_empty() && tenths < 100 {
            return format!("{}.{}{letter}", tenths / 10, tenths % 10);
        }
        if !letter.is_empty() && bytes.div_ceil(unit) < 1024 {
            return format!("{}{letter}", bytes.div_ceil(unit));
        }
        unit <<= 10;
    }
    format!("{}T", bytes >> 40)
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn sizes_are_rounded_up_to_two_digits() {
        let shown: Vec<String> = [0, 1023, 1024, 1025, 10_240, 1_048_575, 1_048_576]
            .map(human)
            .into();
        assert_eq!(shown, ["0", "1023", "1.0K", "1.1K", "10K", "1.0M", "1.0M"]);
    }
}
