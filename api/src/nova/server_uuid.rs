//! Ids of servers in every spelling that Nova accepts.

use uuid::Uuid;

/// Reads an id: 32 hexadecimal digits of either case, with hyphens anywhere, braces
/// around them and the prefixes of a URN.
pub(super) fn parse(text: &str) -> Option<Uuid> {
    let text = text.replace("urn:", "").replace("uuid:", "");
    let digits = text.trim_matches(['{', '}']).replace('-', "");
    let is_hex = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| Uuid::parse_str(&digits).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_has_many_spellings() {
        let id = "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa";
        for text in [
            id,
            "AAAAAAAA-1111-4111-8111-AAAAAAAAAAAA",
            "aaaaaaaa111141118111aaaaaaaaaaaa",
            "{aaaaaaaa111141118111aaaaaaaaaaaa}",
            "{{aaaaaaaa111141118111aaaaaaaaaaaa",
            "urn:uuid:aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa",
            "a-aaaaaaa111141118111aaaaaaaaaaaa",
            "aaaauuid:aaaa111141118111aaaaaaaaaaaa",
        ] {
            assert_eq!(parse(text).unwrap().to_string(), id, "{text}");
        }
    }

    #[test]
    fn an_invalid_id_is_not_read() {
        for text in [
            "",
            "zz",
            " aaaaaaaa111141118111aaaaaaaaaaaa",
            "URN:UUID:aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa",
            "0xaaaaaa111141118111aaaaaaaaaaaa",
            "aaaaaaaa11114111_111aaaaaaaaaaaa",
            "aaaaaaaa111141118111aaaaaaaaaaa",
            "-{aaaaaaaa111141118111aaaaaaaaaaaa}",
            "ａaaaaaaa111141118111aaaaaaaaaaaa",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,64}") {
            let _ = parse(&text);
        }
    }
}
