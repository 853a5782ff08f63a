//! In which order names are listed.

use super::super::options::Given;
use super::entry::Entry;
use std::cmp::Ordering;

/// Sorts as the last of `-t`, `-S`, `-X`, `-v`, `-U` asks, else by name.
pub(super) fn sort(entries: &mut [Entry], given: &Given) {
    let key = given
        .options
        .iter()
        .rev()
        .find_map(|(option, value)| match option {
            't' | 'S' | 'X' | 'v' | 'U' | 'f' => Some(*option),
            '=' => Some(match value.as_deref() {
                Some("time") => 't',
                Some("size") => 'S',
                Some("extension") => 'X',
                Some("version") => 'v',
                Some("none") => 'U',
                _ => 'n',
            }),
            _ => None,
        });
    if matches!(key, Some('U' | 'f')) {
        return;
    }
    entries.sort_by(|a, b| {
        let order = match key {
            Some('t') => b.meta.modified.cmp(&a.meta.modified),
            Some('S') => b.meta.size.cmp(&a.meta.size),
            Some('X') => extension(&a.name).cmp(extension(&b.name)),
            Some('v') => version(&a.name, &b.name),
            _ => Ordering::Equal,
        };
        let order = order.then_with(|| a.name.cmp(&b.name));
        if given.has('r') {
            order.reverse()
        } else {
            order
        }
    });
    if given.has('^') {
        entries.sort_by_key(|entry| !entry.is_folder());
    }
}

fn extension(name: &str) -> &str {
    name.rfind('.').map_or("", |at| &name[at..])
}

/// Compares names with their runs of digits taken as numbers.
fn version(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let text = |s: &str| s.find(|c: char| c.is_ascii_digit()).unwrap_or(s.len());
        let (a_text, b_text) = (&a[..text(a)], &b[..text(b)]);
        let order = a_text.cmp(b_text);
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (&a[a_text.len()..], &b[b_text.len()..]);
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
        let digits = |s: &str| s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
        let (a_digits, b_digits) = (&a[..digits(a)], &b[..digits(b)]);
        let (a_value, b_value) = (
            a_digits.trim_start_matches('0'),
            b_digits.trim_start_matches('0'),
        );
        let order = a_value
            .len()
            .cmp(&b_value.len())
            .then_with(|| a_value.cmp(b_value));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (&a[a_digits.len()..], &b[b_digits.len()..]);
    }
}

#[cfg(test)]
mod tests {
    use super::version;
    use std::cmp::Ordering;

    #[test]
    fn versions_count_their_digits() {
        assert_eq!(version("a2", "a10"), Ordering::Less);
        assert_eq!(version("v1.10.0", "v1.9.9"), Ordering::Greater);
        assert_eq!(version("a", "a"), Ordering::Equal);
        assert_eq!(version("a", "a1"), Ordering::Less);
    }
}
