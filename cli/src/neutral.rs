//! Neutralizes guest text for a terminal: control characters become visible.
//!
//! Newlines and tabs stay. Escape sequences, other control characters, characters that
//! change the direction of text and invalid UTF-8 are escaped, so that a hook can neither
//! hide its output nor control the terminal that shows it.

use std::io::{self, Write};

/// Turns one stream of guest bytes into text that is safe to show.
///
/// A character may arrive in pieces; an incomplete one is buffered.
#[derive(Debug, Default)]
pub(crate) struct Neutral {
    /// The beginning of a character, at most three bytes.
    pending: Vec<u8>,
}

impl Neutral {
    /// Writes `bytes`, neutralized.
    pub(crate) fn write(&mut self, bytes: &[u8], to: &mut impl Write) -> io::Result<()> {
        let mut joined = std::mem::take(&mut self.pending);
        joined.extend_from_slice(bytes);
        let mut rest = &joined[..];
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => return write_text(text, to),
                Err(error) => {
                    let (valid, invalid) = rest.split_at(error.valid_up_to());
                    write_text(std::str::from_utf8(valid).expect("the parser says so"), to)?;
                    let Some(length) = error.error_len() else {
                        self.pending = invalid.to_vec();
                        return Ok(());
                    };
                    write_bytes(&invalid[..length], to)?;
                    rest = &invalid[length..];
                }
            }
        }
    }

    /// Writes the rest of a character that was never completed.
    pub(crate) fn finish(&mut self, to: &mut impl Write) -> io::Result<()> {
        write_bytes(&std::mem::take(&mut self.pending), to)
    }
}

/// Neutralizes one short text, such as a function's name in a backtrace, and keeps it on
/// one line.
pub(crate) fn line(text: &str) -> String {
    let mut shown = Vec::new();
    write_text(&text.replace('\n', "\\n"), &mut shown).expect("writing to memory succeeds");
    String::from_utf8(shown).expect("text stays text")
}

fn write_text(text: &str, to: &mut impl Write) -> io::Result<()> {
    let mut rest = text;
    while let Some(at) = rest.find(is_control_like) {
        let (plain, found) = rest.split_at(at);
        let c = found.chars().next().expect("a character was found there");
        to.write_all(plain.as_bytes())?;
        match c {
            // A carriage return that ends a line hides nothing.
            '\r' if found.starts_with("\r\n") => {}
            '\0'..='\x1f' => write!(to, "^{}", char::from(c as u8 + b'@'))?,
            '\x7f' => to.write_all(b"^?")?,
            _ => write!(to, "{}", c.escape_unicode())?,
        }
        rest = &found[c.len_utf8()..];
    }
    to.write_all(rest.as_bytes())
}

fn write_bytes(bytes: &[u8], to: &mut impl Write) -> io::Result<()> {
    bytes
        .iter()
        .try_for_each(|byte| write!(to, "\\x{byte:02x}"))
}

/// Whether the character would control the terminal or mislead its reader.
fn is_control_like(c: char) -> bool {
    let changes_direction = matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && c != '\n' && c != '\t') || changes_direction
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(pieces: &[&[u8]]) -> String {
        let mut neutral = Neutral::default();
        let mut out = Vec::new();
        for piece in pieces {
            neutral.write(piece, &mut out).unwrap();
        }
        neutral.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(
            shown(&["a\tb\nünï → 你好 🦀\r\n".as_bytes()]),
            "a\tb\nünï → 你好 🦀\n"
        );
    }

    #[test]
    fn escape_sequences_become_visible() {
        assert_eq!(
            shown(&[b"\x1b[2J\x1b]0;title\x07ok\rno\x7f"]),
            "^[[2J^[]0;title^Gok^Mno^?"
        );
        assert_eq!(shown(&["\u{9b}2J".as_bytes()]), "\\u{9b}2J");
        assert_eq!(shown(&[b"\x9b2J"]), "\\x9b2J");
        assert_eq!(shown(&["a\u{202e}b".as_bytes()]), "a\\u{202e}b");
    }

    #[test]
    fn a_split_character_is_reassembled() {
        assert_eq!(shown(&[b"\xf0\x9f", b"\xa6\x80"]), "🦀");
        assert_eq!(shown(&[b"\xf0\x9f"]), "\\xf0\\x9f");
    }

    #[test]
    fn a_line_stays_on_its_line() {
        assert_eq!(line("a\nb\x1b"), "a\\nb^[");
    }

    proptest! {
        #[test]
        fn no_bytes_reach_a_terminal_as_controls(bytes in any::<Vec<u8>>(), cut in any::<prop::sample::Index>()) {
            let cut = cut.index(bytes.len() + 1);
            let text = shown(&[&bytes[..cut], &bytes[cut..]]);
            prop_assert!(!text.chars().any(is_control_like));
        }
    }
}
