//! The items of a date, each recognised by the pieces it begins with.

use super::super::civil::Moment;
use super::super::format::{DAYS, MONTHS};
use super::super::words::{Piece, split};
use super::super::zone::named_offset;

/// A calendar date; the year may be missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Date {
    pub(super) year: Option<i64>,
    pub(super) month: i64,
    pub(super) day: i64,
}

/// A time of day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) nanos: u32,
}

/// Steps from the named moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steps {
    pub(super) years: i64,
    pub(super) months: i64,
    pub(super) days: i64,
    seconds: i64,
}

/// Everything that one text says.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) epoch: Option<Moment>,
    pub(super) date: Option<Date>,
    pub(super) time: Option<Time>,
    pub(super) offset: Option<i64>,
    /// Day of the week and which one: 0 the coming, 1 the next, -1 the last.
    pub(super) weekday: Option<(i64, i64)>,
    /// `today` and its like name a day and leave the time as it is.
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

    /// Takes one item and says how many pieces it had.
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

    /// `HH:MM[:SS[.fraction]] [am|pm]`, with `+HH[:MM]` directly after it.
    fn clock(&mut self, rest: &[Piece]) -> Option<usize> {
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

    fn set_time(
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
    fn numeric_offset(&mut self, rest: &[Piece]) -> Option<usize> {
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

    /// `YYYY-MM-DD`, perhaps with `T` and a time after it.
    fn dashed(&mut self, rest: &[Piece]) -> Option<usize> {
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
    fn slashed(&mut self, rest: &[Piece]) -> Option<usize> {
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
    fn day_month(&mut self, rest: &[Piece]) -> Option<usize> {
        let [Piece::Number { digits, .. }, Piece::Word(name), tail @ ..] = rest else {
            return None;
        };
        let (y, used) = year_after(tail);
        self.set_date(y, month(name)?, digits.parse().ok()?)?;
        Some(2 + used)
    }

    fn set_date(&mut self, year: Option<i64>, month: i64, day: i64) -> Option<()> {
        let in_range = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        if self.date.is_some() || !in_range {
            return None;
        }
        self.date = Some(Date { year, month, day });
        Some(())
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

    /// `Jan 15 2024`, `Jan 15`.
    fn month_day(&mut self, month: i64, rest: &[Piece]) -> Option<usize> {
        let [Piece::Number { sign: None, digits }, tail @ ..] = rest else {
            return None;
        };
        let (y, used) = year_after(tail);
        self.set_date(y, month, digits.parse().ok()?)?;
        Some(1 + used)
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

enum Unit {
    Seconds(i64),
    Days(i64),
    Months,
    Years,
}

fn unit(word: &str) -> Option<Unit> {
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

fn starts_with_unit(rest: &[Piece]) -> bool {
    matches!(rest, [Piece::Word(word), ..] if unit(word).is_some())
}

fn named(names: &[&str], word: &str) -> Option<i64> {
    let matches = |name: &&str| {
        let name = name.to_ascii_lowercase();
        word == name || word == &name[..3] || (word == "sept" && name == "september")
    };
    let at = names.iter().position(matches)?;
    i64::try_from(at).ok()
}

fn month(word: &str) -> Option<i64> {
    named(&MONTHS, word).map(|at| at + 1)
}

fn weekday(word: &str) -> Option<i64> {
    let word = match word {
        "tues" => "tue",
        "wednes" => "wed",
        "thur" | "thurs" => "thu",
        word => word,
    };
    named(&DAYS, word)
}

/// Hours that `am` and `pm` add.
fn noon(word: &str) -> Option<i64> {
    match word {
        "am" => Some(0),
        "pm" => Some(12),
        _ => None,
    }
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

/// The whole and part of a second after it: nanoseconds, and pieces used.
fn fraction(rest: &[Piece]) -> (u32, usize) {
    let [Piece::Mark('.'), Piece::Number { sign: None, digits }, ..] = rest else {
        return (0, 0);
    };
    let nine: String = digits.chars().chain("000000000".chars()).take(9).collect();
    (nine.parse().unwrap_or(0), 2)
}

fn signed(sign: Option<char>, digits: &str) -> Option<i64> {
    let value: i64 = digits.parse().ok()?;
    Some(if sign == Some('-') { -value } else { value })
}
