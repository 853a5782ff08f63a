//! What a principal may do.
//!
//! Roles are ordered: each may do what those below it may. Which call needs
//! which role is up to each API.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a principal may do within its account.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May read.
    #[default]
    Viewer,
    /// May also fire events and change hooks and sources.
    Member,
    /// May also change servers, read scripts and the values of hooks, and run ad hoc
    /// scripts.
    Admin,
    /// May also issue and revoke tokens.
    Owner,
}

/// The text is not a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is `viewer`, `member`, `admin` or `owner`")]
pub struct NotARole;

impl Role {
    /// The name in lower case, as it stands in JSON.
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

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        match text {
            "viewer" => Ok(Self::Viewer),
            "member" => Ok(Self::Member),
            "admin" => Ok(Self::Admin),
            "owner" => Ok(Self::Owner),
            _ => Err(NotARole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ordered_and_read_back() {
        let roles = [Role::Viewer, Role::Member, Role::Admin, Role::Owner];
        assert!(roles.is_sorted());
        for role in roles {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert_eq!("root".parse::<Role>(), Err(NotARole));
    }
}
