//! Issuing, listing and revoking tokens.

use std::sync::Arc;

use crate::clock::now;
use crate::dispatcher::Core;
use crate::error::{Error, Noun};
use crate::id::{AccountId, TokenId};
use crate::page::ACCOUNT_MAX;
use crate::registry::rules;
use crate::tenancy::principal::{NewPrincipal, Principal};
use crate::tenancy::token::{NewToken, Secret, Token, TokenKind};

/// Tokens: see [`Dispatcher::tokens`](crate::Dispatcher::tokens).
#[derive(Clone, Copy)]
pub struct Tokens<'a> {
    pub(crate) core: &'a Arc<Core>,
}

impl Tokens<'_> {
    /// Issues a token. Its secret cannot be shown again.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], also for a role above the principal's;
    /// [`Error::NameTaken`]; [`Error::NotFound`] for the account or the principal;
    /// [`Error::Store`].
    pub async fn issue(self, account: AccountId, new: NewToken) -> Result<(Token, Secret), Error> {
        rules::name("name", &new.name)?;
        if new.expires_at.is_some_and(|expires_at| expires_at <= now()) {
            return Err(Error::invalid("expires_at", "must lie in the future"));
        }
        self.core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                core.issue_token(account, new).await
            })
            .await
    }

    /// Lists the tokens of an account, sessions among them, oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the account, [`Error::Store`].
    pub async fn list(self, account: AccountId) -> Result<Vec<Token>, Error> {
        let mut tokens = self.core.store.tokens(account).await?;
        self.core.identity_cache.note_uses_of(&mut tokens);
        Ok(tokens)
    }

    /// Revokes a token with its sessions, or ends a session, and with them the replies
    /// that they still read.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn revoke(self, account: AccountId, id: TokenId) -> Result<(), Error> {
        self.core
            .carry_out(async move |core: Arc<Core>| {
                let revoked = core.store.delete_token(account, id).await?;
                if revoked {
                    core.revoke(|identity| identity.depends_on(id));
                }
                revoked
                    .then_some(())
                    .ok_or_else(|| Error::not_found(Noun::Token, id))
            })
            .await
    }
}

impl Core {
    async fn issue_token(
        &self,
        account: AccountId,
        new: NewToken,
    ) -> Result<(Token, Secret), Error> {
        let mut tokens = self.store.tokens(account).await?;
        // Sessions have bounds of their own and do not count against tokens.
        tokens.retain(|token| token.kind == TokenKind::Issued);
        if tokens.len() >= ACCOUNT_MAX as usize {
            return Err(Error::invalid(
                "name",
                "cannot be added: the account has 20000 tokens",
            ));
        }
        // Before a principal is created for it that would have to be rolled back.
        if tokens.iter().any(|token| token.name == new.name) {
            return Err(Error::NameTaken {
                what: Noun::Token,
                name: new.name,
            });
        }
        let principal = self.principal_of(account, &new).await?;
        if new.role > principal.role {
            let reason = format!(
                "is more than its principal's role, which is `{}`",
                principal.role
            );
            return Err(Error::invalid("role", reason));
        }
        let secret = Secret::generate();
        let token = Token {
            id: TokenId::generate(),
            account,
            principal: principal.id,
            name: new.name,
            role: new.role,
            kind: TokenKind::Issued,
            parent: None,
            created_at: now(),
            expires_at: new.expires_at,
            used_at: None,
        };
        self.store
            .insert_token(token.clone(), secret.hash())
            .await?;
        Ok((token, secret))
    }

    /// Finds whose token it is to be, or makes a principal for it.
    async fn principal_of(&self, account: AccountId, new: &NewToken) -> Result<Principal, Error> {
        let principals = self.store.principals(account).await?;
        let present = principals.len();
        let found = principals
            .into_iter()
            .find(|principal| match new.principal {
                Some(id) => principal.id == id,
                None => principal.name == new.name,
            });
        match (found, new.principal) {
            (Some(principal), _) => Ok(principal),
            (None, Some(id)) => Err(Error::not_found(Noun::Principal, id)),
            (None, None) => {
                let made = NewPrincipal {
                    name: new.name.clone(),
                    role: new.role,
                };
                self.insert_principal(account, made, present).await
            }
        }
    }
}
