//! Resources as they are printed: members in their order, or, with `include`, their
//! values alone.
//!
//! What is large is encoded piece by piece while it is sent, never whole.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use serde_json::Value;

/// Bytes that are encoded at one time; a multiple of three, so that pieces of
/// base64 can be put one behind the other.
const PIECE_BYTES: usize = 48 * 1024;

/// One value.
pub(super) enum Part {
    Json(Value),
    /// Bytes that are printed in base64.
    Base64(Bytes),
}

/// The members of one resource; those that it has not are `None`.
pub(super) struct Row(Vec<(&'static str, Option<Part>)>);

impl Row {
    /// The members of these names, each as `part` has it.
    pub(super) fn of(
        names: &[&'static str],
        mut part: impl FnMut(&'static str) -> Option<Part>,
    ) -> Self {
        Self(names.iter().map(|name| (*name, part(name))).collect())
    }

    /// The resource as an object.
    pub(super) fn into_object(self) -> Pieces {
        let mut pieces = Pieces::opening('{');
        let there = self
            .0
            .into_iter()
            .filter_map(|(name, part)| Some((name, part?)));
        for (place, (name, part)) in there.enumerate() {
            pieces.text(if place > 0 { "," } else { "" });
            pieces.text(&Value::from(name).to_string());
            pieces.text(":");
            pieces.part(Some(part));
        }
        pieces.text("}");
        pieces
    }

    /// The values of these members in this order; `null` for what is not there.
    /// Without names, the resource as an object.
    pub(super) fn into_pieces(mut self, include: Option<&[&'static str]>) -> Pieces {
        let Some(names) = include else {
            return self.into_object();
        };
        let mut pieces = Pieces::opening('[');
        for (place, name) in names.iter().enumerate() {
            pieces.text(if place > 0 { "," } else { "" });
            let own = self.0.iter_mut().find(|(own, _)| own == name);
            let part = own.and_then(|(_, part)| match part {
                // It may be asked for twice.
                Some(Part::Json(value)) => Some(Part::Json(value.clone())),
                Some(Part::Base64(bytes)) => Some(Part::Base64(bytes.clone())),
                None => None,
            });
            pieces.part(part);
        }
        pieces.text("]");
        pieces
    }
}

/// Text in pieces of bounded size.
pub(super) struct Pieces {
    /// In reverse.
    left: std::collections::VecDeque<Piece>,
}

enum Piece {
    Text(BytesMut),
    Base64(Bytes),
}

impl Pieces {
    fn opening(mark: char) -> Self {
        let mut pieces = Self::of("");
        pieces.text(&mark.to_string());
        pieces
    }

    /// A text as it is.
    pub(super) fn of(text: &str) -> Self {
        let left = [Piece::Text(BytesMut::from(text))].into();
        Self { left }
    }

    fn text(&mut self, text: &str) {
        if let Some(Piece::Text(last)) = self.left.back_mut() {
            last.extend_from_slice(text.as_bytes());
        } else {
            self.left.push_back(Piece::Text(BytesMut::from(text)));
        }
    }

    fn part(&mut self, part: Option<Part>) {
        match part {
            None => self.text("null"),
            Some(Part::Json(value)) => self.text(&value.to_string()),
            Some(Part::Base64(bytes)) => {
                self.text("\"");
                self.left.push_back(Piece::Base64(bytes));
                self.text("\"");
            }
        }
    }

    /// All of it.
    pub(super) fn collect(self) -> Bytes {
        let mut all = BytesMut::new();
        for piece in self {
            all.extend_from_slice(&piece);
        }
        all.freeze()
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        match self.left.pop_front()? {
            Piece::Text(text) => Some(text.freeze()),
            Piece::Base64(mut bytes) => {
                let first = bytes.split_to(bytes.len().min(PIECE_BYTES));
                if !bytes.is_empty() {
                    self.left.push_front(Piece::Base64(bytes));
                }
                Some(STANDARD.encode(first).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn row(bytes: &[u8]) -> Row {
        Row::of(&["type", "none", "source", "last"], |name| match name {
            "type" => Some(Part::Json(json!("x"))),
            "source" => Some(Part::Base64(Bytes::copy_from_slice(bytes))),
            "last" => Some(Part::Json(json!({"a": [1]}))),
            _ => None,
        })
    }

    #[test]
    fn an_object_omits_absent_members() {
        let text = row(b"hi").into_object().collect();
        assert_eq!(text, r#"{"type":"x","source":"aGk=","last":{"a":[1]}}"#);
    }

    #[test]
    fn included_values_keep_their_positions() {
        let text = row(b"hi").into_pieces(Some(&["last", "none", "source", "source"]));
        assert_eq!(text.collect(), r#"[{"a":[1]},null,"aGk=","aGk="]"#);
    }

    proptest! {
        #[test]
        fn base64_in_pieces_is_base64(size in 0..200_000_usize) {
            let bytes: Vec<u8> = (0..size).map(|n| n.to_le_bytes()[0]).collect();
            let mut whole = BytesMut::new();
            for piece in row(&bytes).into_object() {
                prop_assert!(piece.len() <= 64 * 1024);
                whole.extend_from_slice(&piece);
            }
            let value: Value = serde_json::from_slice(&whole).unwrap();
            prop_assert_eq!(&value["source"], &json!(STANDARD.encode(&bytes)));
        }
    }
}
