//! A decimal number as a scaled integer, and the `-f` format.

/// `units` divided by ten to the power of `scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) units: i128,
    pub(super) scale: usize,
}

/// Digits that a number may have, so that counting never overflows.
const DIGITS_MAX: usize = 30;

impl Number {
    pub(super) const ONE: Self = Self { units: 1, scale: 0 };

    /// Reads `-1.50` or `2e3`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let all = format!("{whole}{part}");
        let is_digits = all.bytes().all(|byte| byte.is_ascii_digit());
        if all.is_empty() || !is_digits || all.len() > DIGITS_MAX {
            return None;
        }
        let units: i128 = all.parse().ok()?;
        let units = if negative { -units } else { units };
        let scale = i32::try_from(part.len()).ok()? - exponent;
        match usize::try_from(scale) {
            Ok(scale) => (scale <= DIGITS_MAX).then_some(Self { units, scale }),
            Err(_) => {
                let factor = 10_i128.checked_pow(scale.unsigned_abs())?;
                let units = units.checked_mul(factor)?;
                Some(Self { units, scale: 0 })
            }
        }
    }

    /// The units of this number when counted in smaller ones.
    pub(super) fn at_scale(self, scale: usize) -> Option<i128> {
        let factor = 10_i128.checked_pow(u32::try_from(scale - self.scale).ok()?)?;
        let units = self.units.checked_mul(factor)?;
        // Leaves room to step past the end.
        (units.unsigned_abs() < 1 << 126).then_some(units)
    }
}

/// `units` with `scale` digits after the point, zero-filled to `width`.
pub(super) fn show(units: i128, scale: usize, width: usize) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let mut digits = units.unsigned_abs().to_string();
    if scale > 0 {
        digits = format!("{digits:0>fill$}", fill = scale + 1);
        digits.insert(digits.len() - scale, '.');
    }
    let fill = width.saturating_sub(sign.len());
    format!("{sign}{digits:0>fill$}")
}

/// A `-f` format with one conversion.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) around: (String, String),
    pub(super) width: usize,
    /// Digits after the point; none for `%g`, which shows what there is.
    pub(super) scale: Option<usize>,
}

/// Reads a format such as `x%03g.txt` or `%.2f`.
pub(super) fn format(text: &str) -> Result<Format, String> {
    let mut around = (String::new(), String::new());
    let mut conversion = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let side = if conversion.is_none() {
            &mut around.0
        } else {
            &mut around.1
        };
        if c != '%' {
            side.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            side.push('%');
            continue;
        }
        let mut spec = String::new();
        let kind = loop {
            match chars.next() {
                Some(c) if c.is_ascii_digit() || c == '.' => spec.push(c),
                Some(c @ ('g' | 'f')) => break c,
                _ => return Err(format!("format '{text}' has an unknown directive")),
            }
        };
        if conversion.is_some() {
            return Err(format!("format '{text}' has too many % directives"));
        }
        let (width, precision) = spec.split_once('.').unwrap_or((&spec, ""));
        if !width.is_empty() && !width.starts_with('0') {
            return Err(format!("format '{text}' has an unsupported width"));
        }
        let width = width.parse().unwrap_or(0_usize).min(64);
        let scale = (kind == 'f').then(|| precision.parse().unwrap_or(6_usize).min(18));
        conversion = Some((width, scale));
    }
    let (width, scale) = conversion.ok_or(format!("format '{text}' has no % directive"))?;
    Ok(Format {
        around,
        width,
        scale,
    })
}

#[cfg(test)]
mod tests {
    use super::{Number, format, show};

    #[test]
    fn decimals_and_exponents_are_exact() {
        let number = Number::parse("-0.10").unwrap();
        assert_eq!((number.units, number.scale), (-10, 2));
        assert_eq!(Number::parse("2e3").unwrap().units, 2000);
        assert_eq!(Number::parse("5e-1").unwrap().scale, 1);
        for wrong in ["", "-", "x", "1.2.3", "1e", "0x10"] {
            assert_eq!(Number::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn terms_are_shown_with_their_digits_and_width() {
        assert_eq!(show(-5, 2, 0), "-0.05");
        assert_eq!(show(7, 0, 3), "007");
        assert_eq!(show(-7, 0, 3), "-07");
    }

    #[test]
    fn a_format_has_exactly_one_conversion() {
        let read = format("a%03gb%%").unwrap();
        assert_eq!(read.around, ("a".to_owned(), "b%".to_owned()));
        assert_eq!(read.width, 3);
        assert!(format("none").is_err() && format("%g%g").is_err());
    }
}
