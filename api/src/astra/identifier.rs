//! Astra's identifiers: UUIDs in lower case with dashes.
//!
//! A body may name those of version 4 or 5 and the one of all zeros. In a path, one of
//! another version is merely unknown.

use uuid::{Uuid, Variant};

/// The identifiers that a body may hold, as a regular expression.
pub(super) const PATTERN: &str = "^([0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|00000000-0000-0000-0000-000000000000)$";

/// Whether a text is an identifier as a body may hold it.
pub(super) fn is_identifier(text: &str) -> bool {
    parse(text).is_some_and(|uuid| {
        let version = matches!(uuid.get_version_num(), 4 | 5);
        uuid.is_nil() || version && uuid.get_variant() == Variant::RFC4122
    })
}

/// Reads any UUID in Astra's form.
pub(super) fn parse(text: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(text).ok()?;
    (uuid.to_string() == text).then_some(uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_four_and_five_and_zeros_are_identifiers() {
        let pattern = regex::Regex::new(PATTERN).unwrap();
        for (text, is) in [
            ("0b7c1b3e-5a41-4f4c-9d8e-2f6a7c8d9e0f", true),
            ("0b7c1b3e-5a41-5f4c-9d8e-2f6a7c8d9e0f", true),
            ("00000000-0000-0000-0000-000000000000", true),
            ("0b7c1b3e-5a41-7f4c-9d8e-2f6a7c8d9e0f", false),
            ("0b7c1b3e-5a41-4f4c-0d8e-2f6a7c8d9e0f", false),
            ("0B7C1B3E-5A41-4F4C-9D8E-2F6A7C8D9E0F", false),
            ("0b7c1b3e5a414f4c9d8e2f6a7c8d9e0f", false),
            ("{0b7c1b3e-5a41-4f4c-9d8e-2f6a7c8d9e0f}", false),
            ("ä", false),
            ("", false),
        ] {
            assert_eq!(is_identifier(text), is, "{text}");
            assert_eq!(pattern.is_match(text), is, "{text}");
        }
    }
}
