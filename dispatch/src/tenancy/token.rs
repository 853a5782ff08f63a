//! Tokens: a 256-bit secret shown once, of which only the SHA-256 is kept.
//!
//! A secret is looked up by its hash, so the time of a comparison reveals nothing
//! about it. A login session is a token that ends by itself, and with the issued
//! token that logged in.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::id::{AccountId, PrincipalId, TokenId};
use crate::tenancy::role::Role;

/// What is kept of a token. The secret itself is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Its identifier.
    pub id: TokenId,
    /// The account that it opens.
    pub account: AccountId,
    /// Whose it is.
    pub principal: PrincipalId,
    /// Unique among the issued tokens of an account; a session has its principal's.
    pub name: String,
    /// What it allows, as far as its principal's role does.
    pub role: Role,
    /// Issued for good, or a login session.
    pub kind: TokenKind,
    /// Of a session, the issued token that logged in: the session ends with it.
    pub parent: Option<TokenId>,
    /// When it was issued.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it ends; `None` is never.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
    /// When it was last used, to within half a minute.
    #[serde(with = "time::serde::rfc3339::option")]
    pub used_at: Option<OffsetDateTime>,
}

/// Where a token comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// Issued by an owner; stays until it expires or is revoked.
    Issued,
    /// Made by a login; always expires.
    Session,
}

/// How many sessions may exist at one time; beyond that, a new one ends the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionBounds {
    /// Of one principal.
    pub per_principal: u32,
    /// Of all principals of an account together.
    pub per_account: u32,
}

impl SessionBounds {
    /// The bounds that the dispatcher enforces.
    ///
    /// A hundred of one principal: more than a person has browsers, or a program that
    /// logs in for every call has calls in progress. Ten thousand of an account, whose
    /// principals may be as many as 20,000.
    pub const DEFAULT: Self = Self {
        per_principal: 100,
        per_account: 10_000,
    };
}

/// A token to issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// See [`Token::name`]; 1 to 255 bytes without control characters.
    pub name: String,
    /// See [`Token::principal`]. Default: a new principal with the token's name and
    /// role, or the one that has this name already.
    pub principal: Option<PrincipalId>,
    /// See [`Token::role`]; no more than the principal's.
    pub role: Role,
    /// See [`Token::expires_at`].
    pub expires_at: Option<OffsetDateTime>,
}

/// The 256-bit secret of a token. Printed as `th_` and 43 characters of base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// The SHA-256 of a [`Secret`], by which a token is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

/// Longest text that is looked at as a secret, in bytes.
const SECRET_MAX_BYTES: usize = 256;

impl Secret {
    /// Generates a secret from the operating system's random source.
    #[must_use]
    pub fn generate() -> Self {
        let mut bytes = [0; 32];
        rand::rngs::SysRng
            .try_fill_bytes(&mut bytes)
            .expect("the operating system has a random source");
        Self(format!("th_{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text to show to its owner, this once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl SecretHash {
    /// Hashes what a caller presented; `None` if it is too long to be a secret.
    #[must_use]
    pub fn of(presented: &str) -> Option<Self> {
        (presented.len() <= SECRET_MAX_BYTES)
            .then(|| Self(Sha256::digest(presented.as_bytes()).into()))
    }

    /// Wraps a hash that a store has read back.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes themselves.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_presented_secret_matches_its_hash() {
        let secret = Secret::generate();
        assert_eq!(SecretHash::of(secret.reveal()), Some(secret.hash()));
        assert_eq!(secret.reveal().len(), 46);
    }

    #[test]
    fn a_secret_is_not_logged() {
        assert_eq!(format!("{:?}", Secret::generate()), "Secret(…)");
    }

    #[test]
    fn a_text_too_long_for_a_secret_is_not_hashed() {
        assert_eq!(SecretHash::of(&"x".repeat(257)), None);
    }
}
