//! Amounts as people type them: `2G` units of fuel, `64MiB`, `1.5s`.
//!
//! A unit is never guessed: bytes without one are bytes, a time needs one. One parser
//! reads all of them exactly. Libraries read other texts: bytesize takes `64K` for 64,000
//! bytes, humantime `1M` for a month, and there is none for fuel.

use std::time::Duration;

/// Units of fuel and other counts.
const COUNTS: &[(&str, u64)] = &[
    ("", 1),
    ("k", 1_000),
    ("K", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
];

/// Units of bytes. One letter means the binary unit, as it does for `dd` or `docker`.
const SIZES: &[(&str, u64)] = &[
    ("", 1),
    ("B", 1),
    ("K", 1 << 10),
    ("M", 1 << 20),
    ("G", 1 << 30),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

/// Units of time, in milliseconds.
const TIMES: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("min", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// The text is not an amount of this kind; displays what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAnAmount(&'static str);

impl std::fmt::Display for NotAnAmount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// Reads a count such as `500`, `1.5M` or `2G`.
pub(crate) fn parse_count(text: &str) -> Result<u64, NotAnAmount> {
    parse(text, COUNTS).ok_or(NotAnAmount("must be a number, such as 500, 20M or 2G"))
}

/// Reads a size such as `65536`, `64MiB` or `1G`, in bytes.
pub(crate) fn parse_size(text: &str) -> Result<u64, NotAnAmount> {
    parse(text, SIZES).ok_or(NotAnAmount(
        "must be a size, such as 65536, 64KiB, 64MiB or 1GiB",
    ))
}

/// Reads a time such as `200ms`, `1.5s` or `5min`, in milliseconds.
pub(crate) fn parse_millis(text: &str) -> Result<u64, NotAnAmount> {
    parse(text, TIMES).ok_or(NotAnAmount(
        "must be a time, such as 200ms, 1.5s, 5min or 1h",
    ))
}

/// Formats a size in the largest unit that represents it exactly.
pub(crate) fn show_size(bytes: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units
        .iter()
        .find(|(_, size)| bytes >= *size && bytes.is_multiple_of(*size))
    {
        Some((unit, size)) => format!("{} {unit}", bytes / size),
        None => format!("{bytes} bytes"),
    }
}

/// Formats a count in the largest unit that represents it exactly.
pub(crate) fn show_count(count: u64) -> String {
    let units = [("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000)];
    match units
        .iter()
        .find(|(_, size)| count >= *size && count.is_multiple_of(*size))
    {
        Some((unit, size)) => format!("{} {unit}", count / size),
        None => count.to_string(),
    }
}

/// Formats a time given in milliseconds.
pub(crate) fn show_millis(millis: u64) -> String {
    format!("{:?}", Duration::from_millis(millis))
}

/// Parses a decimal number and its unit exactly; `None` if the product is not a whole
/// number that fits.
fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (_, factor) = units
        .iter()
        .find(|(name, _)| *name == unit.trim_start_matches(' '))?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || part.len() > 9 || number.ends_with('.') || part.contains('.') {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(part.len()).ok()?);
    let digits = whole.parse::<u64>().ok()?;
    let part = if part.is_empty() {
        0
    } else {
        part.parse::<u64>().ok()?
    };
    let product = (u128::from(digits) * scale + u128::from(part)) * u128::from(*factor);
    if product % scale != 0 {
        return None;
    }
    u64::try_from(product / scale).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_their_units() {
        assert_eq!(parse_count("2G"), Ok(2_000_000_000));
        assert_eq!(parse_count("1.5M"), Ok(1_500_000));
        assert_eq!(parse_count("0"), Ok(0));
        assert_eq!(parse_size("64MiB"), Ok(64 << 20));
        assert_eq!(parse_size("64 MiB"), Ok(64 << 20));
        assert_eq!(parse_size("64M"), Ok(64 << 20));
        assert_eq!(parse_size("1MB"), Ok(1_000_000));
        assert_eq!(parse_millis("200ms"), Ok(200));
        assert_eq!(parse_millis("1.5s"), Ok(1_500));
        assert_eq!(parse_millis("2m"), Ok(120_000));
    }

    #[test]
    fn an_invalid_amount_is_refused() {
        for text in [
            "",
            "G",
            "-1",
            "1..2",
            "1.",
            ".5s",
            "2 apples",
            "1e9",
            "99999999999999999999",
            "0.0000000001G",
            "0.5",
            "18446744073709551615G",
            "1\u{a0}G",
            "٣",
        ] {
            assert!(parse_count(text).is_err(), "{text}");
            assert!(parse_size(text).is_err(), "{text}");
            assert!(parse_millis(text).is_err(), "{text}");
        }
        assert!(parse_millis("5").is_err(), "a time needs its unit");
    }

    #[test]
    fn amounts_are_printed_in_the_largest_exact_unit() {
        assert_eq!(show_size(512 << 20), "512 MiB");
        assert_eq!(show_size(1_000), "1000 bytes");
        assert_eq!(show_count(200_000_000_000), "200 G");
        assert_eq!(show_millis(1_500_000), "1500s");
    }
}
