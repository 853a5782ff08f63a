//! A guest's standard error on a terminal: structured log lines are formatted, everything
//! else is neutralized and passed on at once.

use std::io::{self, Write};

use tenterhook_engine::LogLine;
use tenterhook_sdk::log::Level;

use crate::neutral::{self, Neutral};
use crate::paint::Painter;

/// Longest line that is buffered to see whether it is structured, in bytes.
const HELD_MAX_BYTES: usize = 64 * 1024;

/// Writes one stream of a guest to a terminal.
#[derive(Debug)]
pub(crate) struct GuestLog {
    paint: Painter,
    neutral: Neutral,
    /// The beginning of a line that may turn out to be structured.
    held: Vec<u8>,
    in_line: bool,
}

impl GuestLog {
    pub(crate) fn new(paint: Painter) -> Self {
        Self {
            paint,
            neutral: Neutral::default(),
            held: Vec::new(),
            in_line: false,
        }
    }

    /// Writes `bytes`. A line that begins with a brace is buffered until it is complete.
    pub(crate) fn write(&mut self, bytes: &[u8], to: &mut impl Write) -> io::Result<()> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let begins = !self.in_line && self.held.is_empty() && piece.starts_with(b"{");
            if !begins && self.held.is_empty() {
                self.neutral.write(piece, to)?;
                self.in_line = !piece.ends_with(b"\n");
                continue;
            }
            self.held.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.held.len() > HELD_MAX_BYTES {
                self.release(to)?;
                self.in_line = !piece.ends_with(b"\n");
            }
        }
        Ok(())
    }

    /// Writes what is still buffered.
    pub(crate) fn finish(&mut self, to: &mut impl Write) -> io::Result<()> {
        self.release(to)?;
        self.neutral.finish(to)
    }

    fn release(&mut self, to: &mut impl Write) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        match std::str::from_utf8(&held).ok().and_then(LogLine::parse) {
            Some(line) => writeln!(to, "{}", draw(&line, self.paint)),
            None => self.neutral.write(&held, to),
        }
    }
}

/// Formats a structured log line: level, message and fields.
pub(crate) fn draw(line: &LogLine, paint: Painter) -> String {
    let level = format!("{:<5}", line.level);
    let level = match line.level {
        Level::Error => paint.bad(&level),
        Level::Warn => paint.warn(&level),
        Level::Info => paint.ok(&level),
        Level::Debug | Level::Trace => paint.dim(&level),
    };
    let mut text = format!("{level} {}", neutral::line(&line.message));
    for (name, value) in &line.fields {
        let field = neutral::line(&format!("{name}={}", value.get()));
        text += &format!(" {}", paint.dim(&field));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::paint;

    fn shown(pieces: &[&[u8]]) -> String {
        let mut log = GuestLog::new(paint::none());
        let mut out = Vec::new();
        for piece in pieces {
            log.write(piece, &mut out).unwrap();
        }
        log.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_structured_line_is_formatted_however_it_arrives() {
        let line = br#"{"level":"warn","message":"disk is full","percent":97}"#;
        for cut in 0..line.len() {
            let (begin, end) = line.split_at(cut);
            assert_eq!(
                shown(&[b"plain\n", begin, end, b"\nmore"]),
                "plain\nWARN  disk is full percent=97\nmore"
            );
        }
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        for text in [
            "{",
            "{}\n",
            "a {\"level\":\"info\",\"message\":\"x\"}\n",
            "{\n}\n",
        ] {
            assert_eq!(shown(&[text.as_bytes()]), text);
        }
        let long = format!("{{{}", "x".repeat(2 * HELD_MAX_BYTES));
        assert_eq!(shown(&[long.as_bytes()]), long);
    }

    #[test]
    fn a_structured_line_cannot_control_the_terminal() {
        let line = b"{\"level\":\"info\",\"message\":\"\\u001b[2J\\n\",\"\\u001b\":\"\\u202e\"}\n";
        assert_eq!(shown(&[line]), "INFO  ^[[2J\\n ^[=\"\\u202e\"\n");
    }

    proptest! {
        #[test]
        fn no_bytes_are_lost_or_interpreted(lines in prop::collection::vec("[{}a-z\n\u{1b}]{0,8}", 0..8)) {
            let pieces: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
            let expected = lines.concat().replace('\u{1b}', "^[");
            prop_assert_eq!(shown(&pieces), expected);
        }
    }
}
