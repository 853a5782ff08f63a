//! Calendar dates: `2024-01-15`, `1/15/2024`, `15 Jan 2024`, `Jan 15`.

use super::super::words::Piece;
use super::items::Items;
use super::vocabulary::{month, starts_with_unit};

/// A calendar date; the year may be missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Date {
    pub(super) year: Option<i64>,
    pub(super) month: i64,
    pub(super) day: i64,
}

impl Items {
    /// `YYYY-MM-DD`, perhaps with `T` and a time after it.
    pub(super) fn dashed(&mut self, rest: &[Piece]) -> Option<usize> {
        let [
            Piece::Number { digits: y, .. },
            Piece::Number { digits: m, .. },
            Piece::Number { digits: d, .. },
            tail @ ..,
        ] = rest
        else {
            return None;
        };
        self.set_date(Some(year(y)?), m.parse().ok()?, d.parse().ok()?)?;
        match tail {
            [
                Piece::Word(t),
                Piece::Number { sign: None, .. },
                Piece::Mark(':'),
                ..,
            ] if t == "t" => Some(4),
            _ => Some(3),
        }
    }

    /// `YYYY/MM/DD`, `MM/DD/YYYY` or `MM/DD`.
    pub(super) fn slashed(&mut self, rest: &[Piece]) -> Option<usize> {
        let mut parts = Vec::new();
        let mut used = 0;
        while let Some(Piece::Number { sign: None, digits }) = rest.get(used) {
            parts.push(digits.as_str());
            used += 1;
            if parts.len() < 3 && rest.get(used) == Some(&Piece::Mark('/')) {
                used += 1;
            } else {
                break;
            }
        }
        let (y, m, d) = match parts[..] {
            [y, m, d] if y.len() >= 4 => (Some(year(y)?), m, d),
            [m, d, y] => (Some(year(y)?), m, d),
            [m, d] => (None, m, d),
            _ => return None,
        };
        self.set_date(y, m.parse().ok()?, d.parse().ok()?)?;
        Some(used)
    }

    /// `15 Jan 2024` or `15 Jan`.
    pub(super) fn day_month(&mut self, rest: &[Piece]) -> Option<usize> {
        let [Piece::Number { digits, .. }, Piece::Word(name), tail @ ..] = rest else {
            return None;
        };
        let (y, used) = year_after(tail);
        self.set_date(y, month(name)?, digits.parse().ok()?)?;
        Some(2 + used)
    }

    /// `Jan 15 2024`, `Jan 15`.
    pub(super) fn month_day(&mut self, month: i64, rest: &[Piece]) -> Option<usize> {
        let [Piece::Number { sign: None, digits }, tail @ ..] = rest else {
            return None;
        };
        let (y, used) = year_after(tail);
        self.set_date(y, month, digits.parse().ok()?)?;
        Some(1 + used)
    }

    pub(super) fn set_date(&mut self, year: Option<i64>, month: i64, day: i64) -> Option<()> {
        let in_range = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        if self.date.is_some() || !in_range {
            return None;
        }
        self.date = Some(Date { year, month, day });
        Some(())
    }
}

/// A year after a day and a month, unless it begins a time or a step.
fn year_after(rest: &[Piece]) -> (Option<i64>, usize) {
    let [
        Piece::Number {
            sign: None | Some('-'),
            digits,
        },
        tail @ ..,
    ] = rest
    else {
        return (None, 0);
    };
    if matches!(tail, [Piece::Mark(':'), ..]) || starts_with_unit(tail) || digits.len() < 4 {
        return (None, 0);
    }
    (year(digits), 1)
}

/// A year of two digits is near 2000, as POSIX has it.
fn year(digits: &str) -> Option<i64> {
    let year: i64 = digits.parse().ok()?;
    Some(match digits.len() {
        1 | 2 if year < 69 => year + 2000,
        1 | 2 => year + 1900,
        _ => year,
    })
}

fn days_in(year: Option<i64>, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 => match year {
            Some(y) if y % 4 != 0 || (y % 100 == 0 && y % 400 != 0) => 28,
            _ => 29,
        },
        _ => 31,
    }
}
