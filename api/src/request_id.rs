//! The id under which a request is found again in the log.
//!
//! A client may choose it with `X-Request-Id`; every reply carries it back.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

/// The header that carries the id both ways.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// A request's id: 1 to 64 letters, digits, dots, dashes and underscores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// Takes the client's id if it is valid, else creates one: a UUID of version 4, which
    /// Astra's clients know as an identifier.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let sent = headers.get(HEADER).and_then(|value| value.to_str().ok());
        match sent {
            Some(text) if is_id(text) => Self(text.to_owned()),
            _ => Self(Uuid::new_v4().to_string()),
        }
    }

    /// The id as a UUID, which is what ids are in others' APIs: itself if it is one,
    /// else one that is derived from it.
    pub(crate) fn as_uuid(&self) -> Uuid {
        Uuid::try_parse(&self.0).unwrap_or_else(|_| {
            let digest: [u8; 32] = Sha256::digest(self.0.as_bytes()).into();
            let mut bytes = [0; 16];
            bytes.copy_from_slice(&digest[..16]);
            // Marked as derived from a name.
            Builder::from_sha1_bytes(bytes).into_uuid()
        })
    }

    /// The id as a header's value.
    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("an id holds nothing that a header cannot")
    }
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_a_uuid_and_the_same_one_each_time() {
        let id = RequestId("deploy-7.2".to_owned());
        assert_eq!(id.as_uuid(), id.as_uuid());
        let uuid = id.as_uuid().to_string();
        assert_eq!(RequestId(uuid.clone()).as_uuid().to_string(), uuid);
    }

    #[test]
    fn a_clients_id_is_kept_if_it_is_plain() {
        let id = |text: &'static str| {
            let headers = HeaderMap::from_iter([(HEADER, HeaderValue::from_static(text))]);
            RequestId::of(&headers).to_string()
        };
        assert_eq!(id("deploy-7.2"), "deploy-7.2");
        assert_ne!(id("a b"), "a b");
        assert_ne!(id(""), "");
    }
}
