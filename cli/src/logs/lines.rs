//! Assembles bytes that arrive in pieces into lines of bounded length.

/// Longest line, in bytes; a longer one is split.
const LINE_MAX_BYTES: usize = 64 * 1024;

/// The beginning of a line whose end has not arrived.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<u8>);

impl Lines {
    /// Adds bytes; returns the lines that are complete now.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut whole = Vec::new();
        for chunk in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.0.extend_from_slice(chunk);
            while self.0.len() > LINE_MAX_BYTES {
                let rest = self.0.split_off(LINE_MAX_BYTES);
                whole.push(std::mem::replace(&mut self.0, rest));
            }
            if self.0.ends_with(b"\n") {
                self.0.pop();
                whole.push(std::mem::take(&mut self.0));
            }
        }
        whole
    }

    /// Returns the last line, if it was not terminated.
    pub(super) fn rest(&mut self) -> Option<Vec<u8>> {
        let rest = std::mem::take(&mut self.0);
        (!rest.is_empty()).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_assembled_from_pieces() {
        let mut lines = Lines::default();
        assert!(lines.push(b"a").is_empty());
        assert_eq!(lines.push(b"b\n\nc"), [&b"ab"[..], b""]);
        assert_eq!(lines.rest(), Some(b"c".to_vec()));
        assert_eq!(lines.rest(), None);
    }

    #[test]
    fn an_endless_line_is_cut() {
        let mut lines = Lines::default();
        let whole = lines.push(&[b'x'; 3 * LINE_MAX_BYTES]);
        assert_eq!(whole.len(), 2);
        assert_eq!(lines.rest().map(|rest| rest.len()), Some(LINE_MAX_BYTES));
    }
}
