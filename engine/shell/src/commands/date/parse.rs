//! Reads the text of `-d`: absolute dates and times, and steps from them.
//!
//! A subset of what GNU `date` reads: ISO 8601, US and named months, times with
//! zones, days of the week, and relative items such as `+2 days` or `last month`.

mod calendar;
mod clock;
mod items;
mod vocabulary;

use super::civil::{Civil, Moment};
use super::zone::Zone;
use calendar::Date;
use items::Items;

/// The moment that `text` names, seen from `now` in `zone`.
pub(super) fn moment(text: &str, now: Moment, zone: &Zone) -> Option<Moment> {
    let items = Items::read(text)?;
    if let Some(epoch) = items.epoch {
        return items.shift(epoch);
    }
    let today = Civil::at(now.seconds, zone.offset);
    let mut civil = today;
    let mut nanos = now.nanos;
    if let Some(Date { year, month, day }) = items.date {
        (civil.year, civil.month, civil.day) = (year.unwrap_or(today.year), month, day);
    }
    if let Some(time) = items.time {
        (civil.hour, civil.minute, civil.second) = (time.hour, time.minute, time.second);
        nanos = time.nanos;
    } else if items.date.is_some() || items.weekday.is_some() || items.midnight {
        (civil.hour, civil.minute, civil.second) = (0, 0, 0);
        nanos = 0;
    }
    civil.year = civil.year.checked_add(items.steps.years)?;
    civil.month = civil.month.checked_add(items.steps.months)?;
    civil.day = civil.day.checked_add(items.steps.days)?;
    if let Some((weekday, ordinal)) = items.weekday {
        let base = Civil::at(civil.seconds(0)?, 0);
        let ahead = (weekday - base.weekday()).rem_euclid(7);
        let weeks = ordinal - i64::from(ordinal > 0 && ahead != 0);
        civil.day = civil.day.checked_add(ahead + 7 * weeks)?;
    }
    let offset = items.offset.unwrap_or(zone.offset);
    let seconds = civil.seconds(offset)?;
    items.shift(Moment { seconds, nanos })
}

#[cfg(test)]
mod tests {
    use super::super::format::Shown;
    use super::{Moment, Zone, moment};

    /// Friday, 2024-03-01 08:04:05 UTC.
    const NOW: Moment = Moment {
        seconds: 1_709_280_245,
        nanos: 0,
    };

    fn read(text: &str) -> String {
        let zone = Zone::utc();
        moment(text, NOW, &zone).map_or_else(
            || "invalid".to_owned(),
            |moment| Shown::new(moment, &zone).format("%F %T"),
        )
    }

    /// Each line: what is asked, what GNU date 9.1 answers at that moment.
    const ANSWERS: &str = include_str!("parse/answers.txt");

    #[test]
    fn dates_read_as_in_gnu_date() {
        let mut wrong = Vec::new();
        for line in ANSWERS.lines().filter(|line| !line.is_empty()) {
            let (text, answer) = line.split_once(" => ").unwrap();
            let read = read(text);
            if read != answer {
                wrong.push(format!("{text}: {read}, not {answer}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn absurd_numbers_are_refused_without_overflow() {
        for text in [
            "9999999999999999999 days",
            "@99999999999999999999",
            "+9223372036854775807 years",
        ] {
            assert_eq!(read(text), "invalid", "{text}");
        }
    }
}
