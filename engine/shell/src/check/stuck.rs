//! Where the parser does not get any further.
//!
//! At a token that cannot stand in the body of a function, of `{ }` or of `case`, the
//! interpreter's parser neither goes on nor gives up: it tries the same token until its
//! steps are used up, and its error does not say where. The span of what it has read ends
//! with that token, unless it is in a substitution, which has a parser of its own. Then
//! it is in the last one of the shortest beginning of the text at which that happens.

use super::DEPTH;
use crate::limits::PARSER_STEPS;
use bashkit::Error;
use bashkit::parser::Parser;

/// Steps that a text is given to be parsed, for each of its bytes. 446 scripts, those of
/// our oracle and of a Linux system, take 0.07 on average and 1.0 at most, which is a
/// here-document within a line of few words. Lines of one letter take 2, and each level of
/// process substitutions takes one more.
const STEPS_PER_BYTE: usize = 64;
/// Steps for a text without any.
const STEPS_AT_LEAST: usize = 64;
/// Substitutions that are searched for the token, the last of a text first.
const SEARCHED_SUBSTITUTIONS: usize = 64;
/// What begins a text that has a parser of its own.
const SUBSTITUTIONS: [&str; 3] = ["$(", "<(", ">("];

/// A token that the parser does not get past.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) offset: usize,
    pub(super) text: &'a str,
}

/// Whether a parser has used up its steps.
pub(super) fn is_exhausted(error: &Error) -> bool {
    matches!(error, Error::Parse { message, .. } if message.starts_with("parser fuel exhausted"))
}

/// A parser with no more steps than `text` is worth.
pub(super) fn parser(text: &str) -> Parser<'_> {
    let steps = STEPS_AT_LEAST + text.len() * STEPS_PER_BYTE;
    Parser::with_limits(text, DEPTH, steps.min(PARSER_STEPS))
}

fn is_stuck(text: &str) -> bool {
    parser(text)
        .parse()
        .is_err_and(|error| is_exhausted(&error))
}

/// The token in `text` at which the parser is stuck.
pub(super) fn token(text: &str) -> Option<Token<'_>> {
    let (parsed, error) = parser(text).parse_recovering();
    error.filter(is_exhausted)?;
    let reached = parsed.span.end.offset;
    let (start, end) = last_token(text.get(..reached)?);
    // It is elsewhere if it was stuck in a substitution.
    let is_there = is_stuck(&text[..end]) && !is_stuck(&text[..start]);
    let (start, end) = match is_there {
        true => (start, end),
        false => search(text)?,
    };
    Some(in_substitution(text, end).unwrap_or(Token {
        offset: start,
        text: &text[start..end],
    }))
}

/// Start and end of the last token of the shortest beginning of `text` at which the
/// parser is stuck.
fn search(text: &str) -> Option<(usize, usize)> {
    let goes_on = |end: &usize| !is_stuck(&text[..*end]);
    let lines = ends(text, |_, after| after == '\n');
    // What is wrong is most often near, and the script long.
    let mut reach = 1;
    while reach < lines.len() && goes_on(&lines[reach - 1]) {
        reach *= 2;
    }
    let line = lines[..reach.min(lines.len())].partition_point(goes_on);
    let start = line.checked_sub(1).map_or(0, |last| lines[last]);
    let tokens = ends(&text[start..*lines.get(line)?], is_between_tokens);
    let tokens: Vec<usize> = tokens.iter().map(|end| start + end).collect();
    let end = *tokens.get(tokens.partition_point(goes_on))?;
    Some(last_token(&text[..end]))
}

/// Start and end of the last token of `text`.
fn last_token(text: &str) -> (usize, usize) {
    let text = text.trim_end();
    let mut after = None;
    let start = text.char_indices().rev().find_map(|(at, before)| {
        let end = at + before.len_utf8();
        after
            .replace(before)
            .is_some_and(|after| is_between_tokens(before, after))
            .then_some(end)
    });
    (start.unwrap_or(0), text.len())
}

/// The token in the substitution that ends at or before `end`, if it is there that the
/// parser is stuck: it reads one only when it is complete.
fn in_substitution(text: &str, end: usize) -> Option<Token<'_>> {
    let mut starts: Vec<usize> = SUBSTITUTIONS
        .iter()
        .flat_map(|opening| text[..end].match_indices(opening))
        .map(|(at, opening)| at + opening.len())
        .collect();
    starts.sort_unstable_by(|a, b| b.cmp(a));
    let start = starts
        .into_iter()
        .take(SEARCHED_SUBSTITUTIONS)
        .find(|start| is_stuck(&text[*start..end]))?;
    let token = token(&text[start..end])?;
    Some(Token {
        offset: start + token.offset,
        ..token
    })
}

/// The ends of the pieces of `text` that `is_end` separates, by the characters on both
/// sides.
fn ends(text: &str, is_end: impl Fn(char, char) -> bool) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut before = ' ';
    for (at, after) in text.char_indices() {
        if at > 0 && is_end(before, after) {
            ends.push(at);
        }
        before = after;
    }
    ends.push(text.len());
    ends
}

/// Whether no token goes on from one character to the next.
fn is_between_tokens(before: char, after: char) -> bool {
    let is_operator = |c: char| ";&|".contains(c);
    let ends = |c: char| c.is_whitespace() || "()<>".contains(c) || is_operator(c);
    let is_one_operator = is_operator(before) && is_operator(after);
    !is_one_operator && (ends(before) || ends(after))
}
