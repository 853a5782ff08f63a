//! Who a secret belongs to, and what it allows.

use time::OffsetDateTime;

use crate::id::{AccountId, PrincipalId, TokenId};
use crate::tenancy::role::Role;
use crate::tenancy::token::{SecretHash, TokenKind};

/// The caller that has presented a valid secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account that the token opens.
    pub account: AccountId,
    /// Whose token it is.
    pub principal: PrincipalId,
    /// The principal's name.
    pub name: String,
    /// The token.
    pub token: TokenId,
    /// Of a session, the token that logged in.
    pub parent: Option<TokenId>,
    /// What is allowed: the lesser of the principal's and the token's role.
    pub role: Role,
    /// When the token ends, if ever.
    pub expires_at: Option<OffsetDateTime>,
    /// Whether this is a login session or a token that was issued.
    pub kind: TokenKind,
    /// The hash of its secret, for looking it up again.
    pub(crate) hash: SecretHash,
}

impl Identity {
    /// Whether it ends with this token: its own, or the one that logged in.
    pub(crate) fn depends_on(&self, token: TokenId) -> bool {
        self.token == token || self.parent == Some(token)
    }
}
