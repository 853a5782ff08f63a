//! Splits the text of `-d` into words, numbers and marks.

/// One piece of a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Lower-case letters.
    Word(String),
    /// Digits, with the sign directly before them.
    Number { sign: Option<char>, digits: String },
    /// One of `: / - . , @ T` as it stands between numbers.
    Mark(char),
}

/// Longest text that is read, in bytes.
const TEXT_MAX: usize = 256;

/// Splits `text`; nothing if it has a character that no date has.
pub(super) fn split(text: &str) -> Option<Vec<Piece>> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let mut pieces = Vec::new();
    let mut chars = text.chars().peekable();
    let mut after_number = false;
    while let Some(c) = chars.next() {
        let was_number = std::mem::take(&mut after_number);
        match c {
            c if c.is_whitespace() => {}
            '(' => while chars.next().is_some_and(|c| c != ')') {},
            c if c.is_ascii_alphabetic() => {
                let mut word = String::from(c.to_ascii_lowercase());
                while let Some(c) = chars.next_if(char::is_ascii_alphabetic) {
                    word.push(c.to_ascii_lowercase());
                }
                chars.next_if_eq(&'.');
                pieces.push(Piece::Word(word));
            }
            '+' | '-' => {
                while chars.next_if(|c| c.is_whitespace()).is_some() {}
                match chars.peek() {
                    Some(next) if next.is_ascii_digit() => {
                        let digits = digits(&mut chars, String::new());
                        pieces.push(Piece::Number {
                            sign: Some(c),
                            digits,
                        });
                        after_number = true;
                    }
                    // `15-Jan-2024`.
                    _ if c == '-' && was_number => {}
                    _ => return None,
                }
            }
            c if c.is_ascii_digit() => {
                let digits = digits(&mut chars, String::from(c));
                pieces.push(Piece::Number { sign: None, digits });
                after_number = true;
            }
            ',' => {}
            ':' | '/' | '.' | '@' => pieces.push(Piece::Mark(c)),
            _ => return None,
        }
    }
    Some(pieces)
}

fn digits(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, mut digits: String) -> String {
    while let Some(c) = chars.next_if(char::is_ascii_digit) {
        digits.push(c);
    }
    digits
}
