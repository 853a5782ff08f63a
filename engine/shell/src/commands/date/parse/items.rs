//! The items of a date, each recognised by the pieces it begins with.

use super::super::civil::Moment;
use super::super::words::{Piece, split};
use super::super::zone::named_offset;
use super::calendar::Date;
use super::clock::{Time, fraction};
use super::vocabulary::{Unit, month, noon, starts_with_unit, unit, weekday};

/// Steps from the named moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steps {
    pub(super) years: i64,
    pub(super) months: i64,
    pub(super) days: i64,
    seconds: i64,
}

/// Everything that one text specifies.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) epoch: Option<Moment>,
    pub(super) date: Option<Date>,
    pub(super) time: Option<Time>,
    pub(super) offset: Option<i64>,
    /// Day of the week and which one: 0 the coming, 1 the next, -1 the last.
    pub(super) weekday: Option<(i64, i64)>,
    /// `today` and its like name a day and leave the time unchanged.
    pub(super) midnight: bool,
    pub(super) steps: Steps,
}

impl Items {
    pub(super) fn read(text: &str) -> Option<Self> {
        let pieces = split(text)?;
        let mut items = Self {
            midnight: pieces.is_empty(),
            ..Self::default()
        };
        let mut rest = &pieces[..];
        while !rest.is_empty() {
            let used = items.item(rest)?;
            rest = &rest[used..];
        }
        Some(items)
    }

    /// Adds the steps that are counted in seconds.
    pub(super) fn shift(&self, moment: Moment) -> Option<Moment> {
        let seconds = moment.seconds.checked_add(self.steps.seconds)?;
        // A year fits into its type only so far.
        (seconds.unsigned_abs() < 1 << 55).then_some(Moment { seconds, ..moment })
    }

    /// Takes one item and returns how many pieces it had.
    fn item(&mut self, rest: &[Piece]) -> Option<usize> {
        match rest {
            [Piece::Mark('@'), ..] => self.epoch(&rest[1..]).map(|used| used + 1),
            [Piece::Number { .. }, ..] => self.number(rest),
            [Piece::Word(word), ..] => self.word(word, &rest[1..]).map(|used| used + 1),
            _ => None,
        }
    }

    fn epoch(&mut self, rest: &[Piece]) -> Option<usize> {
        let [Piece::Number { sign, digits }, tail @ ..] = rest else {
            return None;
        };
        let whole = signed(*sign, digits)?;
        let (nanos, used) = fraction(tail);
        let (seconds, nanos) = match (*sign, nanos) {
            (Some('-'), nanos) if nanos > 0 => (whole - 1, 1_000_000_000 - nanos),
            (_, nanos) => (whole, nanos),
        };
        self.epoch = Some(Moment { seconds, nanos });
        Some(1 + used)
    }

    /// An item that begins with a number.
    fn number(&mut self, rest: &[Piece]) -> Option<usize> {
        let [Piece::Number { sign, digits }, tail @ ..] = rest else {
            return None;
        };
        match (sign, tail) {
            (None, [Piece::Mark(':'), ..]) => self.clock(rest),
            (None, [Piece::Mark('/'), ..]) => self.slashed(rest),
            (
                None,
                [
                    Piece::Number {
                        sign: Some('-'), ..
                    },
                    Piece::Number {
                        sign: Some('-'), ..
                    },
                    ..,
                ],
            ) => self.dashed(rest),
            (None, [Piece::Word(word), ..]) if month(word).is_some() => self.day_month(rest),
            (None, [Piece::Word(word), ..]) if noon(word).is_some() && digits.len() <= 2 => {
                self.set_time(digits.parse().ok()?, 0, 0, 0, noon(word))?;
                Some(2)
            }
            (_, [Piece::Word(word), more @ ..]) if unit(word).is_some() => self
                .step(word, signed(*sign, digits)?, more)
                .map(|used| used + 2),
            (_, [Piece::Word(word), ..]) if weekday(word).is_some() => {
                self.weekday = Some((weekday(word)?, signed(*sign, digits)?));
                Some(2)
            }
            (Some(_), _) if self.time.is_some() && self.offset.is_none() => {
                self.numeric_offset(rest)
            }
            (None, _) => self.bare(digits).map(|()| 1),
            (Some(_), _) => None,
        }
    }

    /// A number alone: `YYYYMMDD`, a year after a date without one, or `HHMM`.
    fn bare(&mut self, digits: &str) -> Option<()> {
        let value: i64 = digits.parse().ok()?;
        if let Some(date) = &mut self.date
            && date.year.is_none()
            && self.time.is_some()
            && digits.len() > 2
        {
            date.year = Some(value);
            return Some(());
        }
        match digits.len() {
            8 => self.set_date(Some(value / 10_000), value / 100 % 100, value % 100),
            1 | 2 => self.set_time(value, 0, 0, 0, None),
            3 | 4 => self.set_time(value / 100, value % 100, 0, 0, None),
            _ => None,
        }
    }

    /// An item that begins with a word; `rest` is what follows the word.
    fn word(&mut self, word: &str, rest: &[Piece]) -> Option<usize> {
        let ordinal = match word {
            "next" => Some(1),
            "last" => Some(-1),
            "this" => Some(0),
            _ => None,
        };
        match (word, rest) {
            ("now" | "today", _) => Some(0),
            ("tomorrow", _) => self.step("day", 1, &[]),
            ("yesterday", _) => self.step("day", -1, &[]),
            ("t", [Piece::Number { sign: None, .. }, ..]) => Some(0),
            (_, [Piece::Word(what), more @ ..]) if ordinal.is_some() => {
                let count = ordinal?;
                if unit(what).is_some() {
                    return self.step(what, count, more).map(|used| used + 1);
                }
                self.weekday = Some((weekday(what)?, count));
                Some(1)
            }
            _ if month(word).is_some() => self.month_day(month(word)?, rest),
            _ if weekday(word).is_some() => {
                self.weekday = Some((weekday(word)?, 0));
                Some(0)
            }
            _ if unit(word).is_some() => self.step(word, 1, rest),
            _ => {
                self.offset = Some(named_offset(word)?);
                match rest {
                    [Piece::Number { sign: Some(_), .. }, tail @ ..] if !starts_with_unit(tail) => {
                        self.numeric_offset(rest)
                    }
                    _ => Some(0),
                }
            }
        }
    }

    /// A step of `count` units; `rest` is looked at for `ago`.
    fn step(&mut self, word: &str, count: i64, rest: &[Piece]) -> Option<usize> {
        let ago = matches!(rest, [Piece::Word(word), ..] if word == "ago");
        let count = if ago { count.checked_neg()? } else { count };
        let (target, factor) = match unit(word)? {
            Unit::Seconds(factor) => (&mut self.steps.seconds, factor),
            Unit::Days(factor) => (&mut self.steps.days, factor),
            Unit::Months => (&mut self.steps.months, 1),
            Unit::Years => (&mut self.steps.years, 1),
        };
        *target = target.checked_add(count.checked_mul(factor)?)?;
        Some(usize::from(ago))
    }
}

fn signed(sign: Option<char>, digits: &str) -> Option<i64> {
    let value: i64 = digits.parse().ok()?;
    Some(if sign == Some('-') { -value } else { value })
}
