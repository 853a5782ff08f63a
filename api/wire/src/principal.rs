//! Principals: the people and programs that act within an account.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A person or a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Principal {
    /// Its identifier, a UUID.
    pub id: String,
    /// The id of its account.
    pub account: String,
    /// Unique within the account.
    pub name: String,
    /// The most that its tokens allow.
    pub role: Role,
    /// When it was created.
    pub created_at: String,
    /// When it was last changed.
    pub modified_at: String,
}

/// What a principal or a token may do; each role includes those before it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Also sends events, and changes hooks and sources.
    Member,
    /// Also changes servers, reads scripts and the values of hooks, and runs ad hoc scripts.
    Admin,
    /// Also manages principals and tokens.
    Owner,
}

impl Role {
    /// Returns its name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

/// A text that is not the name of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownRole;

impl fmt::Display for UnknownRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a role is `viewer`, `member`, `admin` or `owner`")
    }
}

impl std::error::Error for UnknownRole {}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        match text {
            "viewer" => Ok(Self::Viewer),
            "member" => Ok(Self::Member),
            "admin" => Ok(Self::Admin),
            "owner" => Ok(Self::Owner),
            _ => Err(UnknownRole),
        }
    }
}

/// A principal to create.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrincipal {
    /// The account's id or number; the caller's own by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Unique within the account; the user name of croit's login.
    pub name: String,
    /// The most that its tokens allow.
    pub role: Role,
}

/// What to change of a principal. What is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedPrincipal {
    /// Its new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its new role, which applies to its tokens at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}
