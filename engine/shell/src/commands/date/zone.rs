//! Time zones: UTC and fixed offsets. There is no zone database in the sandbox.

/// A fixed offset from UTC with the name that `%Z` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Zone {
    /// Seconds east of Greenwich.
    pub(super) offset: i64,
    pub(super) name: String,
}

impl Zone {
    pub(super) fn utc() -> Self {
        Self {
            offset: 0,
            name: "UTC".to_owned(),
        }
    }

    /// Reads `$TZ` in its POSIX form, `EST5` or `<+03>-3`; anything else is UTC.
    pub(super) fn from_tz(text: &str) -> Self {
        Self::posix(text).unwrap_or_else(Self::utc)
    }

    fn posix(text: &str) -> Option<Self> {
        let (name, rest) = if let Some(quoted) = text.strip_prefix('<') {
            quoted.split_once('>')?
        } else {
            let end = text.find(|c: char| !c.is_ascii_alphabetic())?;
            text.split_at(end)
        };
        let (sign, digits) = match rest.strip_prefix('-') {
            Some(digits) => (1, digits),
            None => (-1, rest.strip_prefix('+').unwrap_or(rest)),
        };
        // What follows the offset would name a summer time.
        let end = digits.find(|c: char| !c.is_ascii_digit() && c != ':');
        let digits = &digits[..end.unwrap_or(digits.len())];
        let mut seconds = 0;
        for (part, unit) in digits.split(':').zip([3600, 60, 1]) {
            seconds += part.parse::<i64>().ok().filter(|n| *n < 60)? * unit;
        }
        (name.len() >= 3).then(|| Self {
            offset: sign * seconds,
            name: name.to_owned(),
        })
    }
}

/// The offset that a zone word in a date stands for, in seconds.
pub(super) fn named_offset(word: &str) -> Option<i64> {
    let hours = match word {
        "z" | "utc" | "ut" | "gmt" | "wet" => 0,
        "bst" | "cet" | "met" | "west" => 1,
        "cest" | "mest" | "eet" => 2,
        "eest" | "msk" => 3,
        "jst" => 9,
        "est" => -5,
        "edt" => -4,
        "cst" => -6,
        "cdt" => -5,
        "mst" => -7,
        "mdt" => -6,
        "pst" => -8,
        "pdt" => -7,
        _ => return None,
    };
    Some(hours * 3600)
}

#[cfg(test)]
mod tests {
    use super::Zone;

    #[test]
    fn posix_zones_count_westwards() {
        assert_eq!(Zone::from_tz("EST5EDT").offset, -18_000);
        assert_eq!(Zone::from_tz("<+0330>-3:30").offset, 12_600);
        assert_eq!(Zone::from_tz("UTC0").name, "UTC");
    }

    #[test]
    fn a_zone_that_needs_a_database_is_utc() {
        assert_eq!(Zone::from_tz("Europe/Berlin"), Zone::utc());
        assert_eq!(Zone::from_tz(""), Zone::utc());
    }
}
