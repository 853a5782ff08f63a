//! Who calls, in the store: principals and their tokens. What they may do is not decided here.

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::error::Error;
use crate::id::{AccountId, PrincipalId, TokenId};
use crate::tenancy::principal::Principal;
use crate::tenancy::token::{SecretHash, SessionBounds, Token};

/// Principals and their tokens.
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// Stores a new principal.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`], [`Error::NotFound`] for the account.
    async fn insert_principal(&self, principal: Principal) -> Result<(), Error>;

    /// Replaces a principal's name and role.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NameTaken`].
    async fn update_principal(&self, principal: Principal) -> Result<(), Error>;

    /// Removes a principal and all its tokens. Returns whether there was one.
    async fn delete_principal(&self, account: AccountId, id: PrincipalId) -> Result<bool, Error>;

    /// Lists the principals of an account, oldest first.
    async fn principals(&self, account: AccountId) -> Result<Vec<Principal>, Error>;

    /// Stores a new issued token under the hash of its secret.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`] among the issued tokens of the account,
    /// [`Error::NotFound`] for its principal.
    async fn insert_token(&self, token: Token, hash: SecretHash) -> Result<(), Error>;

    /// Stores a new session under the hash of its secret. Removes the oldest where there
    /// would be more than `bounds` allow, and returns those that it has removed.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for its parent, the token that logged in.
    async fn insert_login(
        &self,
        session: Token,
        hash: SecretHash,
        bounds: SessionBounds,
    ) -> Result<Vec<TokenId>, Error>;

    /// Finds a token, and whose it is, by the hash of its secret, whether or not it
    /// has expired.
    async fn token(&self, hash: SecretHash) -> Result<Option<(Token, Principal)>, Error>;

    /// Lists the tokens of an account, oldest first.
    async fn tokens(&self, account: AccountId) -> Result<Vec<Token>, Error>;

    /// Removes a token with its sessions. Returns whether there was one.
    async fn delete_token(&self, account: AccountId, id: TokenId) -> Result<bool, Error>;

    /// Notes when tokens were last used.
    async fn touch_tokens(&self, uses: Vec<(TokenId, OffsetDateTime)>) -> Result<(), Error>;
}
