//! `+FORMAT`: the conversions of GNU `date`, with flags and widths.

mod spec;

use super::civil::{Civil, Moment};
use super::zone::Zone;
use spec::{Spec, read_spec};

pub(super) const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment in a zone, ready to be shown.
pub(super) struct Shown<'a> {
    moment: Moment,
    civil: Civil,
    zone: &'a Zone,
}

impl<'a> Shown<'a> {
    pub(super) fn new(moment: Moment, zone: &'a Zone) -> Self {
        let civil = Civil::at(moment.seconds, zone.offset);
        Self {
            moment,
            civil,
            zone,
        }
    }

    /// Fills in `format`; everything that is not a conversion is unchanged.
    pub(super) fn format(&self, format: &str) -> String {
        let mut out = String::new();
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            let tail = &rest[at + 1..];
            let (spec, letter) = read_spec(tail);
            match letter.and_then(|letter| Some((letter, self.convert(letter, spec)?))) {
                Some((letter, text)) => {
                    out.push_str(&text);
                    let used = tail.find(letter).unwrap_or(0) + letter.len_utf8();
                    rest = &tail[used..];
                }
                None => {
                    out.push('%');
                    rest = tail;
                }
            }
        }
        out + rest
    }

    fn convert(&self, letter: char, spec: Spec) -> Option<String> {
        let civil = &self.civil;
        let number = |value: i64, width, fill| Some(spec.number(value, width, fill));
        let text = |text: &str| Some(spec.text(text));
        let lower = Spec {
            swap: false,
            ..spec
        };
        let nested = |format: &str| Some(spec.text(&self.format(format)));
        let weekday = usize::try_from(civil.weekday()).unwrap_or(0);
        let month = usize::try_from(civil.month - 1).unwrap_or(0);
        let hour12 = (civil.hour + 11) % 12 + 1;
        let noon = if civil.hour < 12 { "AM" } else { "PM" };
        match letter {
            '%' => text("%"),
            'n' => text("\n"),
            't' => text("\t"),
            'a' => text(&DAYS[weekday][..3]),
            'A' => text(DAYS[weekday]),
            'b' | 'h' => text(&MONTHS[month][..3]),
            'B' => text(MONTHS[month]),
            'c' => nested("%a %b %e %H:%M:%S %Y"),
            'C' => number(civil.year.div_euclid(100), 2, '0'),
            'd' => number(civil.day, 2, '0'),
            'D' | 'x' => nested("%m/%d/%y"),
            'e' => number(civil.day, 2, ' '),
            'F' => nested("%Y-%m-%d"),
            'g' => number(civil.iso_week().0.rem_euclid(100), 2, '0'),
            'G' => number(civil.iso_week().0, 4, '0'),
            'H' => number(civil.hour, 2, '0'),
            'I' => number(hour12, 2, '0'),
            'j' => number(civil.day_of_year(), 3, '0'),
            'k' => number(civil.hour, 2, ' '),
            'l' => number(hour12, 2, ' '),
            'm' => number(civil.month, 2, '0'),
            'M' => number(civil.minute, 2, '0'),
            'N' => Some(self.nanos(spec)),
            'p' if spec.swap => Some(lower.text(&noon.to_lowercase())),
            'p' => text(noon),
            'P' => text(&noon.to_lowercase()),
            'q' => number((civil.month + 2) / 3, 1, '0'),
            'r' => nested("%I:%M:%S %p"),
            'R' => nested("%H:%M"),
            's' => number(self.moment.seconds, 1, '0'),
            'S' => number(civil.second, 2, '0'),
            'T' | 'X' => nested("%H:%M:%S"),
            'u' => number((civil.weekday() + 6) % 7 + 1, 1, '0'),
            'U' => number((civil.day_of_year() + 6 - civil.weekday()) / 7, 2, '0'),
            'V' => number(civil.iso_week().1, 2, '0'),
            'w' => number(civil.weekday(), 1, '0'),
            'W' => {
                let since_monday = (civil.weekday() + 6) % 7;
                number((civil.day_of_year() + 6 - since_monday) / 7, 2, '0')
            }
            'y' => number(civil.year.rem_euclid(100), 2, '0'),
            'Y' => number(civil.year, if civil.year < 0 { 5 } else { 4 }, '0'),
            'z' => self.offset(spec.colons),
            'Z' if spec.swap => Some(lower.text(&self.zone.name.to_lowercase())),
            'Z' => text(&self.zone.name),
            _ => None,
        }
    }

    /// Nanoseconds: `%3N` are the first three digits, `%-N` has no ending zeros.
    fn nanos(&self, spec: Spec) -> String {
        let digits = format!("{:09}", self.moment.nanos);
        match (spec.pad, spec.width) {
            (Some('-'), None) => {
                let short = digits.trim_end_matches('0');
                (if short.is_empty() { "0" } else { short }).to_owned()
            }
            (_, Some(width)) if width < 9 => digits[..width].to_owned(),
            (_, width) => format!("{digits:0<width$}", width = width.unwrap_or(9)),
        }
    }

    fn offset(&self, colons: usize) -> Option<String> {
        let sign = if self.zone.offset < 0 { '-' } else { '+' };
        let offset = self.zone.offset.abs();
        let (hours, minutes, seconds) = (offset / 3600, offset / 60 % 60, offset % 60);
        Some(match colons {
            0 => format!("{sign}{hours:02}{minutes:02}"),
            1 => format!("{sign}{hours:02}:{minutes:02}"),
            2 => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
            3 if seconds != 0 => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
            3 if minutes != 0 => format!("{sign}{hours:02}:{minutes:02}"),
            3 => format!("{sign}{hours:02}"),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::civil::Moment;
    use super::{Shown, Zone};

    fn show(format: &str) -> String {
        let zone = Zone::utc();
        let moment = Moment {
            seconds: 1_709_280_245,
            nanos: 120_000_000,
        };
        Shown::new(moment, &zone).format(format)
    }

    #[test]
    fn conversions_read_as_in_gnu_date() {
        assert_eq!(show("%F %T %s"), "2024-03-01 08:04:05 1709280245");
        assert_eq!(
            show("%a %A %b %B %e %j %u %w"),
            "Fri Friday Mar March  1 061 5 5"
        );
        assert_eq!(
            show("%G-W%V %g %U %W %C %y %q"),
            "2024-W09 24 08 09 20 24 1"
        );
        assert_eq!(show("%I %l %k %p %P %r"), "08  8  8 AM am 08:04:05 AM");
        assert_eq!(
            show("%z %:z %::z %:::z %Z"),
            "+0000 +00:00 +00:00:00 +00 UTC"
        );
        assert_eq!(show("%N %3N %-N"), "120000000 120 12");
    }

    #[test]
    fn flags_and_widths_change_the_padding() {
        assert_eq!(
            show("%-d %_d %05d %^a %#p %10b|%-H"),
            "1  1 00001 FRI am        Mar|8"
        );
    }

    #[test]
    fn unknown_conversions_are_kept() {
        assert_eq!(show("100% %Q %"), "100% %Q %");
    }
}
