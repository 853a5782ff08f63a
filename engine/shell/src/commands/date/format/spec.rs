//! Flags, width and padding of one conversion.

use std::fmt::Write;

/// Widest field that a format may ask for.
const WIDTH_MAX: usize = 4096;

/// What stands between the percent sign and the letter.
#[derive(Clone, Copy, Default)]
pub(super) struct Spec {
    pub(super) pad: Option<char>,
    pub(super) upper: bool,
    pub(super) swap: bool,
    pub(super) width: Option<usize>,
    pub(super) colons: usize,
}

/// Reads flags, width and colons, and the letter of the conversion.
pub(super) fn read_spec(text: &str) -> (Spec, Option<char>) {
    let mut spec = Spec::default();
    let mut chars = text.chars().peekable();
    while let Some(flag) = chars.next_if(|c| "-_0^#+".contains(*c)) {
        match flag {
            '^' => spec.upper = true,
            '#' => spec.swap = true,
            pad => spec.pad = Some(pad),
        }
    }
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        let digit = digit.to_digit(10).map_or(0, |digit| digit as usize);
        let width = spec.width.unwrap_or(0) * 10 + digit;
        spec.width = Some(width.min(WIDTH_MAX));
    }
    while chars.next_if_eq(&':').is_some() {
        spec.colons += 1;
    }
    // Alternative forms of a locale: there is one locale.
    chars.next_if(|c| matches!(c, 'E' | 'O'));
    let letter = chars.next();
    (spec, letter.filter(|c| spec.colons == 0 || *c == 'z'))
}

impl Spec {
    pub(super) fn number(self, value: i64, width: usize, fill: char) -> String {
        let fill = match self.pad {
            Some('_') => ' ',
            Some('0' | '+') => '0',
            Some('-') => return value.to_string(),
            _ => fill,
        };
        let width = self.width.unwrap_or(width);
        let mut out = String::new();
        let _ = match fill {
            '0' => write!(out, "{value:0width$}"),
            _ => write!(out, "{value:width$}"),
        };
        out
    }

    pub(super) fn text(self, text: &str) -> String {
        let width = self.width.filter(|_| self.pad != Some('-')).unwrap_or(0);
        let padded = match self.pad {
            Some('0') => format!("{text:0>width$}"),
            _ => format!("{text:>width$}"),
        };
        if self.upper || self.swap {
            padded.to_uppercase()
        } else {
            padded
        }
    }
}
