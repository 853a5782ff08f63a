//! Prints changes: the plain form, or unified with lines around.

use super::super::options::Given;
use super::Pair;
use super::compare::{Change, Lines};

/// Lines shown around a change by default.
const CONTEXT: usize = 3;

/// The whole difference of one pair of files.
pub(super) fn show(
    lines: &Lines<'_>,
    changes: &[Change],
    given: &Given,
    pair: &Pair<'_>,
    dates: &[String; 2],
) -> Vec<u8> {
    let form = given
        .options
        .iter()
        .rev()
        .find_map(|(option, value)| match option {
            'u' | 'c' => Some((*option, CONTEXT)),
            'U' | 'C' => {
                let around = value
                    .as_deref()
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(CONTEXT);
                Some((option.to_ascii_lowercase(), around))
            }
            _ => None,
        });
    let mut labels = given.options.iter().filter(|(option, _)| *option == 'L');
    let mut heading = |mark: &str, name: &str, date: &str| {
        let label = labels.next().and_then(|(_, label)| label.clone());
        format!(
            "{mark} {}\n",
            label.unwrap_or_else(|| format!("{name}\t{date}"))
        )
    };
    let mut out = Vec::new();
    match form {
        None => changes
            .iter()
            .for_each(|change| plain(&mut out, lines, *change)),
        Some(('u', around)) => {
            out.extend(heading("---", pair.old, &dates[0]).into_bytes());
            out.extend(heading("+++", pair.new, &dates[1]).into_bytes());
            groups(changes, around).for_each(|group| unified(&mut out, lines, group, around));
        }
        Some((_, around)) => {
            out.extend(heading("***", pair.old, &dates[0]).into_bytes());
            out.extend(heading("---", pair.new, &dates[1]).into_bytes());
            groups(changes, around).for_each(|group| context(&mut out, lines, group, around));
        }
    }
    out
}

fn line(out: &mut Vec<u8>, mark: &str, text: &[u8]) {
    out.extend(mark.as_bytes());
    out.extend(text);
    if !text.ends_with(b"\n") {
        out.extend(b"\n\\ No newline at end of file\n");
    }
}

/// `3` or `3,5`: lines counted from one.
fn span((from, to): (usize, usize)) -> String {
    if to > from + 1 {
        format!("{},{to}", from + 1)
    } else {
        to.to_string()
    }
}

fn plain(out: &mut Vec<u8>, lines: &Lines<'_>, change: Change) {
    let (removed, added) = (change.old.0 < change.old.1, change.new.0 < change.new.1);
    let letter = match (removed, added) {
        (true, true) => 'c',
        (true, false) => 'd',
        (false, _) => 'a',
    };
    out.extend(format!("{}{letter}{}\n", span(change.old), span(change.new)).into_bytes());
    lines.old[change.old.0..change.old.1]
        .iter()
        .for_each(|text| line(out, "< ", text));
    if removed && added {
        out.extend(b"---\n");
    }
    lines.new[change.new.0..change.new.1]
        .iter()
        .for_each(|text| line(out, "> ", text));
}

/// Changes whose surroundings touch are shown together.
fn groups(changes: &[Change], around: usize) -> impl Iterator<Item = &[Change]> {
    changes.chunk_by(move |a, b| b.old.0 - a.old.1 <= 2 * around)
}

/// The lines of both files that a group covers, surroundings included.
fn extent(lines: &Lines<'_>, group: &[Change], around: usize) -> Change {
    let (first, last) = (group[0], group[group.len() - 1]);
    let before = around.min(first.old.0).min(first.new.0);
    Change {
        old: (
            first.old.0 - before,
            (last.old.1 + around).min(lines.old.len()),
        ),
        new: (
            first.new.0 - before,
            (last.new.1 + around).min(lines.new.len()),
        ),
    }
}

fn unified(out: &mut Vec<u8>, lines: &Lines<'_>, group: &[Change], around: usize) {
    let whole = extent(lines, group, around);
    let range = |(from, to): (usize, usize)| match to - from {
        0 => format!("{from},0"),
        1 => format!("{to}"),
        count => format!("{},{count}", from + 1),
    };
    out.extend(format!("@@ -{} +{} @@\n", range(whole.old), range(whole.new)).into_bytes());
    let mut at = whole.old.0;
    for change in group {
        lines.old[at..change.old.0]
            .iter()
            .for_each(|text| line(out, " ", text));
        lines.old[change.old.0..change.old.1]
            .iter()
            .for_each(|text| line(out, "-", text));
        lines.new[change.new.0..change.new.1]
            .iter()
            .for_each(|text| line(out, "+", text));
        at = change.old.1;
    }
    lines.old[at..whole.old.1]
        .iter()
        .for_each(|text| line(out, " ", text));
}

fn context(out: &mut Vec<u8>, lines: &Lines<'_>, group: &[Change], around: usize) {
    let whole = extent(lines, group, around);
    out.extend(format!("***************\n*** {} ****\n", span(whole.old)).into_bytes());
    let old: Vec<Part> = group
        .iter()
        .map(|c| Part {
            own: c.old,
            other: c.new,
        })
        .collect();
    side(out, &lines.old, &old, whole.old, "- ");
    out.extend(format!("--- {} ----\n", span(whole.new)).into_bytes());
    let new: Vec<Part> = group
        .iter()
        .map(|c| Part {
            own: c.new,
            other: c.old,
        })
        .collect();
    side(out, &lines.new, &new, whole.new, "+ ");
}

/// A change seen from one of the two files.
struct Part {
    own: (usize, usize),
    other: (usize, usize),
}

/// One file's half of a context hunk; empty if nothing changes in it.
fn side(out: &mut Vec<u8>, all: &[&[u8]], parts: &[Part], whole: (usize, usize), mark: &str) {
    if parts.iter().all(|part| part.own.0 == part.own.1) {
        return;
    }
    let mut at = whole.0;
    for Part { own, other } in parts {
        all[at..own.0].iter().for_each(|text| line(out, "  ", text));
        let mark = if other.0 < other.1 { "! " } else { mark };
        all[own.0..own.1]
            .iter()
            .for_each(|text| line(out, mark, text));
        at = own.1;
    }
    all[at..whole.1]
        .iter()
        .for_each(|text| line(out, "  ", text));
}
