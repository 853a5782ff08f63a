//! Timestamps as Astra writes them: RFC 3339 in UTC, with `Z`.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Reads `2031-01-02T03:04:05.678901Z`; a fraction has 1 to 9 digits, after a dot
/// or a comma. Anything else is `None`.
#[must_use]
pub fn parse_timestamp(text: &str) -> Option<OffsetDateTime> {
    let (seconds, rest) = text.split_at_checked(19)?;
    let shape = seconds.bytes().zip(*b"0000-00-00T00:00:00");
    for (byte, expected) in shape {
        let fits = match expected {
            b'0' => byte.is_ascii_digit(),
            mark => byte == mark,
        };
        if !fits {
            return None;
        }
    }
    let fraction = rest.strip_suffix('Z')?;
    let text = match fraction.strip_prefix(['.', ',']) {
        None if fraction.is_empty() => format!("{seconds}Z"),
        Some(digits)
            if (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) =>
        {
            format!("{seconds}.{digits}Z")
        }
        _ => return None,
    };
    OffsetDateTime::parse(&text, &Rfc3339).ok()
}

/// Prints a timestamp with all its digits.
#[must_use]
pub fn print_timestamp(time: OffsetDateTime) -> String {
    time.to_offset(time::UtcOffset::UTC)
        .format(&Rfc3339)
        .unwrap_or_else(|_| "0000-01-01T00:00:00Z".to_owned())
}
