//! Tokens: the credentials of principals.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::principal::Role;

/// What is known of a token; the secret is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Its identifier, a UUID.
    pub id: String,
    /// The id of its account.
    pub account: String,
    /// The id of the principal that it belongs to.
    pub principal: String,
    /// Unique among the account's issued tokens; a login has its principal's name.
    pub name: String,
    /// What it allows; its principal's role may allow less.
    pub role: Role,
    /// Where it comes from.
    pub kind: TokenKind,
    /// Of a login, the id of the token that logged in: the login ends with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// When it was issued.
    pub created_at: String,
    /// When it expires; null is never.
    pub expires_at: Option<String>,
    /// When it was last used, to within half a minute.
    pub used_at: Option<String>,
}

/// Where a token comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// An owner has issued it.
    Issued,
    /// A login.
    Session,
}

impl TokenKind {
    /// Returns its name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Session => "session",
        }
    }
}

/// A token to issue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// The account's id or number; the caller's own by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Whose it is, by id or name. By default that of the token's name, which is created
    /// if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Unique among the account's tokens.
    pub name: String,
    /// What it allows, no more than the principal's role; that is the default where a
    /// principal is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// When it expires, RFC 3339; never by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// A new token with its secret.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IssuedToken {
    /// What is known of it.
    #[serde(flatten)]
    pub about: Token,
    /// The secret. It cannot be shown again.
    pub token: String,
}
