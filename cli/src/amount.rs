//! Amounts that people read at a glance: rounded, with at most one decimal digit.

/// Formats a count, such as `1.2 M`.
pub(crate) fn count(count: u64) -> String {
    rounded(count, 1_000.0, ["", " k", " M", " G"])
}

/// Formats a size in bytes, such as `1.1 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    rounded(bytes, 1_024.0, [" B", " KiB", " MiB", " GiB"])
}

/// Formats a time in microseconds, such as `312 µs` or `12.3 ms`.
pub(crate) fn time(us: u64) -> String {
    let (amount, unit) = match us {
        0..1_000 => return format!("{us} µs"),
        1_000..1_000_000 => (us as f64 / 1_000.0, "ms"),
        _ => (us as f64 / 1_000_000.0, "s"),
    };
    format!("{} {unit}", digits(amount))
}

/// Formats the amount in the largest unit that is not larger than it.
fn rounded(amount: u64, step: f64, units: [&str; 4]) -> String {
    let mut left = amount as f64;
    let mut unit = 0;
    // What rounds to a whole step is shown in the next unit.
    while left >= step - 0.05 && unit + 1 < units.len() {
        left /= step;
        unit += 1;
    }
    format!("{}{}", digits(left), units[unit])
}

/// One decimal digit, or none for a whole amount.
fn digits(amount: f64) -> String {
    let text = format!("{amount:.1}");
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rounded_to_one_digit() {
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1.2 M");
        assert_eq!(count(10_000_000_000), "10 G");
        assert_eq!(count(999_960), "1 M");
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1_179_648), "1.1 MiB");
        assert_eq!(size(64 << 20), "64 MiB");
        assert_eq!(time(312), "312 µs");
        assert_eq!(time(30_000_000), "30 s");
        assert_eq!(time(1_500_000), "1.5 s");
    }
}
