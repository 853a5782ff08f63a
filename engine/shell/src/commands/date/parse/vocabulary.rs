//! The words of dates: units, months, days of the week, halves of the day.

use super::super::format::{DAYS, MONTHS};
use super::super::words::Piece;

/// What a relative item counts in.
pub(super) enum Unit {
    Seconds(i64),
    Days(i64),
    Months,
    Years,
}

pub(super) fn unit(word: &str) -> Option<Unit> {
    let singular = word.strip_suffix('s').filter(|short| short.len() > 1);
    Some(match singular.unwrap_or(word) {
        "sec" | "second" => Unit::Seconds(1),
        "min" | "minute" => Unit::Seconds(60),
        "hour" => Unit::Seconds(3600),
        "day" => Unit::Days(1),
        "week" => Unit::Days(7),
        "fortnight" => Unit::Days(14),
        "month" => Unit::Months,
        "year" => Unit::Years,
        _ => return None,
    })
}

pub(super) fn starts_with_unit(rest: &[Piece]) -> bool {
    matches!(rest, [Piece::Word(word), ..] if unit(word).is_some())
}

pub(super) fn month(word: &str) -> Option<i64> {
    named(&MONTHS, word).map(|at| at + 1)
}

pub(super) fn weekday(word: &str) -> Option<i64> {
    let word = match word {
        "tues" => "tue",
        "wednes" => "wed",
        "thur" | "thurs" => "thu",
        word => word,
    };
    named(&DAYS, word)
}

/// Hours that `am` and `pm` add.
pub(super) fn noon(word: &str) -> Option<i64> {
    match word {
        "am" => Some(0),
        "pm" => Some(12),
        _ => None,
    }
}

fn named(names: &[&str], word: &str) -> Option<i64> {
    let matches = |name: &&str| {
        let name = name.to_ascii_lowercase();
        word == name || word == &name[..3] || (word == "sept" && name == "september")
    };
    let at = names.iter().position(matches)?;
    i64::try_from(at).ok()
}
