//! Numbers of any size, compared exactly: a float holds some sixteen digits of one.

use std::cmp::Ordering;

/// A decimal number, as its text says.
#[derive(Clone, Debug)]
pub(super) struct Number<'a> {
    is_negative: bool,
    /// Digits before and after the point, without zeros at either end of both together;
    /// empty for zero.
    digits: [&'a str; 2],
    /// The power of ten of the first digit.
    magnitude: i64,
}

impl<'a> Number<'a> {
    /// Reads a number such as `-1.50` or `2e3`; `None` if the text is none.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (is_negative, text) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, power(exponent)?),
            None => (text, 0),
        };
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + part.len() == 0 || !is_digits(whole) || !is_digits(part) {
            return None;
        }
        let significant = whole.trim_start_matches('0');
        let (digits, magnitude) = if significant.is_empty() {
            let first = part.trim_start_matches('0');
            let zeros = part.len() - first.len();
            ([first.trim_end_matches('0'), ""], -1 - length(zeros))
        } else {
            let part = part.trim_end_matches('0');
            let whole = match part {
                "" => significant.trim_end_matches('0'),
                _ => significant,
            };
            ([whole, part], length(significant.len()) - 1)
        };
        if digits[0].is_empty() {
            return Some(Self {
                is_negative: false,
                digits: ["", ""],
                magnitude: 0,
            });
        }
        Some(Self {
            is_negative,
            digits,
            magnitude: magnitude.saturating_add(exponent),
        })
    }

    fn bytes(&self) -> impl Iterator<Item = u8> {
        self.digits.iter().flat_map(|digits| digits.bytes())
    }

    fn cmp_absolute(&self, other: &Self) -> Ordering {
        match (self.digits[0].is_empty(), other.digits[0].is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self
                .magnitude
                .cmp(&other.magnitude)
                .then_with(|| self.bytes().cmp(other.bytes())),
        }
    }
}

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.cmp_absolute(other),
            (true, true) => other.cmp_absolute(self),
        }
    }
}

impl PartialEq for Number<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number<'_> {}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// An exponent; one that no machine can count to stands for the largest there is.
fn power(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let most = i64::MAX / 2;
    let power = digits.parse().map_or(most, |power: i64| power.min(most));
    Some(if text.starts_with('-') { -power } else { power })
}

fn length(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn ordered(texts: &[&str]) {
        let numbers: Vec<_> = texts
            .iter()
            .map(|text| Number::parse(text).unwrap_or_else(|| panic!("{text} is a number")))
            .collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    }

    #[test]
    fn numbers_of_any_size_are_ordered() {
        ordered(&[
            "-1e400", "-12", "-1.5", "-1e-9", "0", "1e-400", "0.09", "0.1", "1", "1.10",
        ]);
        ordered(&[
            "1.10",
            "9.99",
            "10",
            "12345678901234567890122",
            "12345678901234567890123",
        ]);
        ordered(&["12345678901234567890123", "1e400", "1e99999999999999999999"]);
    }

    #[test]
    fn the_same_number_may_be_written_in_several_ways() {
        for same in [
            &["1.10", "1.1", "01.100", "11e-1", "+0.11E1", "0.00011e4"][..],
            &["0", "-0", "0.000", "0e7", ".0"],
            &["1000", "1e3", "0.001e6"],
        ] {
            let first = Number::parse(same[0]);
            for text in same {
                assert_eq!(Number::parse(text), first, "{text}");
            }
        }
        for text in [
            "", "-", ".", "e1", "1e", "1e+", "0x1", "1_000", " 1", "inf", "NaN", "1.2.3",
        ] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_are_ordered_as_floats_are_where_those_are_exact(a in -1_000_000..1_000_000_i32, b in -1_000_000..1_000_000_i32) {
            let (a, b) = (f64::from(a) / 64.0, f64::from(b) / 64.0);
            let (x, y) = (a.to_string(), b.to_string());
            let (x, y) = (Number::parse(&x).unwrap(), Number::parse(&y).unwrap());
            prop_assert_eq!(x.cmp(&y), a.partial_cmp(&b).unwrap());
        }

        #[test]
        fn no_text_panics(text in "[-+.eE0-9x]{0,12}") {
            let _ = Number::parse(&text);
        }
    }
}
