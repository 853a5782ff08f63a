//! Bytes as text, piece by piece, with no character cut in two.

/// What is left of a character that a piece has only begun.
#[derive(Debug, Default)]
pub(super) struct Text {
    begun: Vec<u8>,
}

impl Text {
    /// Adds a piece, and returns all but a character that it has only begun.
    pub(super) fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        self.begun.extend_from_slice(piece);
        let rest = self.begun.split_off(whole_characters(&self.begun));
        std::mem::replace(&mut self.begun, rest)
    }

    /// Returns what was begun and never ended.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.begun)
    }
}

/// How many bytes can be shown now: all but a character that has only begun.
fn whole_characters(bytes: &[u8]) -> usize {
    // The longest has four bytes, so at most three of one have come.
    for begun in 1..=bytes.len().min(3) {
        let place = bytes.len() - begun;
        match std::str::from_utf8(&bytes[place..]) {
            Err(error) if error.error_len().is_none() && error.valid_up_to() == 0 => return place,
            Ok(_) | Err(_) => {}
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_incomplete_character_is_held_back() {
        assert_eq!(whole_characters("aé".as_bytes()), 3);
        assert_eq!(whole_characters(&"aé".as_bytes()[..2]), 1);
        assert_eq!(whole_characters(b"a\xff\xc3"), 2);
        assert_eq!(whole_characters(&"🦀".as_bytes()[..3]), 0);
        assert_eq!(whole_characters(b"\xa9\xa9\xa9"), 3);
    }

    proptest! {
        /// However bytes are cut, their text is the same.
        #[test]
        fn pieces_decode_to_the_same_text_as_the_whole(
            parts in prop::collection::vec("[aé€🦀]{0,4}", 0..5),
            junk in prop::collection::vec(any::<u8>(), 0..4),
            size in 1_usize..5,
        ) {
            let mut bytes = parts.join("").into_bytes();
            let place = bytes.len() / 2;
            bytes.splice(place..place, junk);
            let mut text = Text::default();
            let mut shown = String::new();
            for piece in bytes.chunks(size) {
                shown.push_str(&String::from_utf8_lossy(&text.push(piece)));
            }
            shown.push_str(&String::from_utf8_lossy(&text.finish()));
            prop_assert_eq!(shown, String::from_utf8_lossy(&bytes));
        }
    }
}
