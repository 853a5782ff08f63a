//! Brackets that the rest of a script is read into.
//!
//! The interpreter's parser takes the end of a script for the end of an array, `x=(a b`,
//! and of an expansion, `${x`. That a bracket is open shows when the script can still be
//! parsed with the closing one after it, but not with one more. The latter excludes a
//! here-document without an end, into which anything can be read: bash only warns of it.

use super::SEARCHED_LINES;
use super::stuck::parser;
use bashkit::parser::Command;

/// An opening bracket, as it is searched for, and what closes it.
const PAIRS: [(&str, char); 2] = [("(", ')'), ("${", '}')];
/// Closing brackets that are tried: `$((` takes two, and a third to see that it does.
const MOST: usize = 4;

/// Brackets of a line that are searched for the one that is open, the last first.
const SEARCHED_BRACKETS: usize = 16;

/// A bracket without an end.
pub(super) struct Opening {
    pub(super) offset: usize,
    pub(super) closed_by: char,
}

/// The bracket that is open at the end of `text`, which can be parsed.
pub(super) fn opening(text: &str) -> Option<Opening> {
    PAIRS.into_iter().find_map(|(opened_by, closed_by)| {
        is_open(text, closed_by).then(|| Opening {
            offset: offset(text, opened_by, closed_by),
            closed_by,
        })
    })
}

/// The place of the opening bracket, or of the command that it is in.
fn offset(text: &str, opened_by: &str, closed_by: char) -> usize {
    let mut start = 0;
    for line in text.split_inclusive('\n').take(SEARCHED_LINES) {
        let end = start + line.len();
        if is_open(&text[..end], closed_by) {
            let opens = |(at, _): &(usize, &str)| {
                let at = start + at;
                !is_open(&text[..at], closed_by)
                    && is_open(&text[..at + opened_by.len()], closed_by)
            };
            let mut openings = line.rmatch_indices(opened_by).take(SEARCHED_BRACKETS);
            return start + openings.find(opens).map_or(0, |(at, _)| at);
        }
        start = end;
    }
    0
}

/// Whether a bracket in `command`, the last one of a script, may be open. In what ends
/// with a word of its own, such as `fi`, none can be: it would have taken that in.
pub(super) fn may_be_open(command: &Command) -> bool {
    match command {
        Command::Simple(_) => true,
        Command::Pipeline(pipeline) => pipeline.commands.last().is_some_and(may_be_open),
        Command::List(list) => match list.rest.last() {
            Some((_, last)) => may_be_open(last),
            None => may_be_open(&list.first),
        },
        Command::Compound(_, redirects) => !redirects.is_empty(),
        Command::Function(function) => may_be_open(&function.body),
    }
}

fn is_open(text: &str, closed_by: char) -> bool {
    let can_be_parsed = |closing: &usize| {
        let closed = format!("{text}\n{}", format!("{closed_by}\n").repeat(*closing));
        parser(&closed).parse().is_ok()
    };
    let first_wrong = (0..=MOST).find(|closing| !can_be_parsed(closing));
    first_wrong.is_some_and(|closing| closing > 1)
}
