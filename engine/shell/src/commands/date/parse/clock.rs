//! Times of day and their zones: `10:20:30.5 pm +02:00`.

use super::super::words::Piece;
use super::items::Items;
use super::vocabulary::noon;

/// A time of day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) nanos: u32,
}

impl Items {
    /// `HH:MM[:SS[.fraction]] [am|pm]`, with `+HH[:MM]` directly after it.
    pub(super) fn clock(&mut self, rest: &[Piece]) -> Option<usize> {
        let [
            Piece::Number { digits: hour, .. },
            Piece::Mark(':'),
            Piece::Number {
                sign: None,
                digits: minute,
            },
            tail @ ..,
        ] = rest
        else {
            return None;
        };
        let mut used = 3;
        let (mut second, mut nanos) = (0, 0);
        if let [
            Piece::Mark(':'),
            Piece::Number { sign: None, digits },
            tail @ ..,
        ] = tail
        {
            second = digits.parse().ok()?;
            let (part, pieces) = fraction(tail);
            nanos = part;
            used += 2 + pieces;
        }
        let half = match rest.get(used) {
            Some(Piece::Word(word)) => noon(word),
            _ => None,
        };
        used += usize::from(half.is_some());
        self.set_time(
            hour.parse().ok()?,
            minute.parse().ok()?,
            second,
            nanos,
            half,
        )?;
        if let Some(Piece::Number { sign: Some(_), .. }) = rest.get(used) {
            used += self.numeric_offset(&rest[used..])?;
        }
        Some(used)
    }

    pub(super) fn set_time(
        &mut self,
        hour: i64,
        minute: i64,
        second: i64,
        nanos: u32,
        half: Option<i64>,
    ) -> Option<()> {
        let hour = match half {
            Some(add) if (1..=12).contains(&hour) => hour % 12 + add,
            Some(_) => return None,
            None => hour,
        };
        if self.time.is_some() || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        self.time = Some(Time {
            hour,
            minute,
            second,
            nanos,
        });
        Some(())
    }

    /// `+HH`, `+HHMM` or `+HH:MM`.
    pub(super) fn numeric_offset(&mut self, rest: &[Piece]) -> Option<usize> {
        let [Piece::Number { sign, digits }, tail @ ..] = rest else {
            return None;
        };
        let value: i64 = digits.parse().ok()?;
        let (minutes, used) = match (digits.len(), tail) {
            (1 | 2, [Piece::Mark(':'), Piece::Number { sign: None, digits }, ..]) => {
                (value * 60 + digits.parse::<i64>().ok()?, 3)
            }
            (1 | 2, _) => (value * 60, 1),
            (3 | 4, _) => (value / 100 * 60 + value % 100, 1),
            _ => return None,
        };
        if minutes > 24 * 60 {
            return None;
        }
        self.offset = Some(if *sign == Some('-') { -60 } else { 60 } * minutes);
        Some(used)
    }
}

/// The whole and part of a second after it: nanoseconds, and pieces used.
pub(super) fn fraction(rest: &[Piece]) -> (u32, usize) {
    let [Piece::Mark('.'), Piece::Number { sign: None, digits }, ..] = rest else {
        return (0, 0);
    };
    let nine: String = digits.chars().chain("000000000".chars()).take(9).collect();
    (nine.parse().unwrap_or(0), 2)
}
