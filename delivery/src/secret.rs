//! Signing keys, and the signature that Standard Webhooks specify.
//!
//! It is one HMAC over three fields, so it is our own: a library of it would bring its own
//! types for headers and secrets, and no less to check.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::TryRng as _;
use sha2::Sha256;
use uuid::Uuid;

use crate::error::Error;

/// What the text of a secret begins with.
const PREFIX: &str = "whsec_";

/// Length of a key in bytes, as Standard Webhooks specify.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Length of a new key in bytes: that of the hash.
const NEW_BYTES: usize = 32;

/// A key for signatures, 24 to 64 bytes; as text `whsec_` and base64. Its debug
/// form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Generates a key of 32 bytes from the operating system's random source.
    #[must_use]
    pub fn generate() -> Self {
        let mut bytes = vec![0; NEW_BYTES];
        rand::rngs::SysRng
            .try_fill_bytes(&mut bytes)
            .expect("the operating system has random bytes");
        Self(bytes)
    }

    /// Parses `whsec_` and base64.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] about `secret`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bytes = text
            .strip_prefix(PREFIX)
            // 64 bytes are 88 characters.
            .filter(|encoded| encoded.len() <= 88)
            .and_then(|encoded| STANDARD.decode(encoded).ok())
            .ok_or_else(|| {
                Error::invalid("secret", "must be `whsec_` and base64 of 24 to 64 bytes")
            })?;
        Self::from_bytes(bytes)
    }

    /// Creates a secret from the bytes of the key.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] about `secret`, unless there are 24 to 64.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Error> {
        if BYTES.contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(Error::invalid("secret", "must hold 24 to 64 bytes"))
        }
    }

    /// Returns the bytes of the key, for a store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the text form. It is shown once, to the creator of the subscription.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// Returns the value of `webhook-signature` for a delivery sent at `timestamp`, in
    /// seconds since 1970.
    pub(crate) fn sign(&self, id: Uuid, timestamp: i64, body: &[u8]) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of every length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_signature_matches_that_of_another_implementation() {
        // python3 -c 'import hmac, base64; print(base64.b64encode(hmac.new(bytes(range(32)),
        //   b"b7e23ec2-9af2-8b0b-8bd4-3b5c1d0a9a11.1735689600.{\"type\":\"maintenance.host\"}",
        //   "sha256").digest()).decode())'
        let secret = Secret::parse("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        let id = "b7e23ec2-9af2-8b0b-8bd4-3b5c1d0a9a11".parse().unwrap();
        let signature = secret.sign(id, 1_735_689_600, br#"{"type":"maintenance.host"}"#);
        assert_eq!(signature, "v1,1IxuJl0AwxjqZ7vxmbolduQvVN++KDQCgyFDFLctWiQ=");
    }

    #[test]
    fn every_new_secret_is_different() {
        assert_ne!(Secret::generate(), Secret::generate());
    }

    #[test]
    fn a_secret_is_not_shown_by_chance() {
        let secret = Secret::generate();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn what_is_not_a_secret_is_refused() {
        let of = |bytes: usize| format!("{PREFIX}{}", STANDARD.encode(vec![7; bytes]));
        for good in [24, 32, 64] {
            assert_eq!(Secret::parse(&of(good)).unwrap().reveal(), of(good));
        }
        let endless = format!("{PREFIX}{}", "A".repeat(1 << 20));
        for bad in [
            &of(23),
            &of(65),
            "",
            "whsec_",
            "whsec_!!!!",
            &of(32)[6..],
            &endless,
        ] {
            let error = Secret::parse(bad).unwrap_err().to_string();
            assert!(error.starts_with("`secret` must"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_a_secret_panic(text in ".{0,120}") {
            let _ = Secret::parse(&text);
            let _ = Secret::parse(&format!("{PREFIX}{text}"));
        }

        #[test]
        fn a_secret_is_read_back(bytes in prop::collection::vec(any::<u8>(), 24..=64)) {
            let secret = Secret::from_bytes(bytes).unwrap();
            prop_assert_eq!(Secret::parse(&secret.reveal()).unwrap(), secret);
        }
    }
}
