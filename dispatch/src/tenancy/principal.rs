//! Who acts within an account: a person or a program, with a role.
//!
//! A principal holds any number of tokens. None of them allows more than the
//! principal's own role does.

use serde::Serialize;
use time::OffsetDateTime;

use crate::id::{AccountId, PrincipalId};
use crate::tenancy::role::Role;

/// A person or a program that acts within an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Principal {
    /// Its identifier, which is stored wherever a creator is recorded.
    pub id: PrincipalId,
    /// The account that it belongs to.
    pub account: AccountId,
    /// Unique within the account; croit's user name.
    pub name: String,
    /// The most that its tokens allow.
    pub role: Role,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub modified_at: OffsetDateTime,
}

/// A principal to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPrincipal {
    /// See [`Principal::name`]; 1 to 255 bytes without control characters.
    pub name: String,
    /// See [`Principal::role`].
    pub role: Role,
}

/// What to change of a principal; `None` keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrincipalChange {
    /// See [`NewPrincipal::name`].
    pub name: Option<String>,
    /// See [`NewPrincipal::role`].
    pub role: Option<Role>,
}
