//! The civil calendar: days since 1970 and back, and moments in time.

/// A point in time: seconds since 1970 UTC and nanoseconds within the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) seconds: i64,
    pub(super) nanos: u32,
}

/// A moment as a clock on the wall shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

/// Furthest year in either direction; far beyond, arithmetic would overflow.
pub(super) const YEAR_MAX: i64 = 1_000_000_000;

/// Days from 1970-01-01 to the given date; month and day may be out of range.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    // Years begin in March, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year + day - 1 - 719_468
}

impl Civil {
    /// What a clock with this offset from UTC shows.
    pub(super) fn at(seconds: i64, offset: i64) -> Self {
        let local = seconds.saturating_add(offset);
        let (days, rest) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let years = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * years + years / 4 - years / 100);
        let march = (5 * of_year + 2) / 153;
        let month = if march < 10 { march + 3 } else { march - 9 };
        Self {
            year: years + era * 400 + i64::from(month <= 2),
            month,
            day: of_year - (153 * march + 2) / 5 + 1,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
        }
    }

    /// Seconds since 1970 UTC; every field may be out of range and carries over.
    pub(super) fn seconds(&self, offset: i64) -> Option<i64> {
        let fields = [self.month, self.day, self.hour, self.minute, self.second];
        let in_range = |field: &i64| field.unsigned_abs() < 1 << 50;
        if self.year.abs() > YEAR_MAX || !fields.iter().all(in_range) {
            return None;
        }
        days(self.year, self.month, self.day)
            .checked_mul(86_400)?
            .checked_add(self.hour.checked_mul(3600)?)?
            .checked_add(self.minute.checked_mul(60)?)?
            .checked_add(self.second)?
            .checked_sub(offset)
    }

    /// Day of the week, 0 for Sunday.
    pub(super) fn weekday(&self) -> i64 {
        (days(self.year, self.month, self.day) + 4).rem_euclid(7)
    }

    /// Day of the year, from 1.
    pub(super) fn day_of_year(&self) -> i64 {
        days(self.year, self.month, self.day) - days(self.year, 1, 1) + 1
    }

    /// The ISO 8601 year and week.
    pub(super) fn iso_week(&self) -> (i64, i64) {
        // The Thursday of a week decides which year it belongs to.
        let thursday = days(self.year, self.month, self.day) + 3 - (self.weekday() + 6) % 7;
        let year = Self::at(thursday * 86_400, 0).year;
        (year, (thursday - days(year, 1, 1)) / 7 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::Civil;

    #[test]
    fn every_day_of_eight_centuries_round_trips() {
        for day in -150_000..150_000_i64 {
            let civil = Civil::at(day * 86_400 + 3661, 0);
            assert_eq!(civil.seconds(0), Some(day * 86_400 + 3661));
            assert_eq!((civil.hour, civil.minute, civil.second), (1, 1, 1));
        }
    }

    #[test]
    fn months_out_of_range_carry_into_years() {
        let civil = Civil {
            year: 2024,
            month: 13,
            day: 32,
            hour: 0,
            minute: 0,
            second: 0,
        };
        let civil = Civil::at(civil.seconds(0).unwrap(), 0);
        assert_eq!((civil.year, civil.month, civil.day), (2025, 2, 1));
    }

    #[test]
    fn the_first_of_january_may_be_in_the_last_week_of_the_year_before() {
        let civil = Civil {
            year: 2021,
            month: 1,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
        };
        assert_eq!(civil.weekday(), 5);
        assert_eq!(civil.iso_week(), (2020, 53));
    }
}
