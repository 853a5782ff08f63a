//! Accounts, tokens, and who a secret belongs to.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use time::OffsetDateTime;

use super::{Dispatcher, Inner};
use crate::account::Account;
use crate::clock::now;
use crate::error::{Error, Noun};
use crate::id::{AccountId, Number, TokenId};
use crate::page::ACCOUNT_MAX;
use crate::role::Principal;
use crate::rules;
use crate::token::{NewToken, Secret, SecretHash, Token, TokenKind};

/// How long a token that was found is believed without asking the store.
const BELIEVED: Duration = Duration::from_secs(60);

/// Most tokens believed at one time.
const BELIEVED_MOST: usize = 10_000;

/// What is known of tokens without asking the store.
#[derive(Default)]
pub(super) struct Tokens {
    believed: Mutex<HashMap<SecretHash, (Principal, Instant)>>,
    uses: Mutex<HashMap<TokenId, OffsetDateTime>>,
}

impl Dispatcher {
    /// Makes an account. The first one is the operator's own.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], [`Error::NameTaken`], [`Error::Store`].
    pub async fn create_account(&self, name: &str) -> Result<Account, Error> {
        rules::name("name", name)?;
        let account = Account {
            id: AccountId::generate(),
            number: Number::UNASSIGNED,
            name: name.to_owned(),
            created_at: now(),
        };
        self.inner.store.insert_account(account).await
    }

    /// Lists all accounts by number.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        self.inner.store.accounts().await
    }

    /// Issues a token. Its secret cannot be shown again.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], [`Error::NameTaken`], [`Error::NotFound`] for the
    /// account, [`Error::Store`].
    pub async fn issue_token(
        &self,
        account: AccountId,
        new: NewToken,
    ) -> Result<(Token, Secret), Error> {
        rules::name("name", &new.name)?;
        if new.expires_at.is_some_and(|expires_at| expires_at <= now()) {
            return Err(Error::invalid("expires_at", "must lie in the future"));
        }
        if self.inner.store.tokens(account).await?.len() >= ACCOUNT_MAX as usize {
            return Err(Error::invalid(
                "name",
                "cannot be added: the account has 20000 tokens",
            ));
        }
        self.inner
            .insert_token(account, new, TokenKind::Issued)
            .await
    }

    /// Lists the tokens of an account, sessions among them, oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the account, [`Error::Store`].
    pub async fn tokens(&self, account: AccountId) -> Result<Vec<Token>, Error> {
        let mut tokens = self.inner.store.tokens(account).await?;
        let uses = self.inner.tokens.uses.lock();
        for token in &mut tokens {
            token.used_at = uses.get(&token.id).copied().max(token.used_at);
        }
        Ok(tokens)
    }

    /// Revokes a token, or ends a session.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn revoke_token(&self, account: AccountId, id: TokenId) -> Result<(), Error> {
        self.carry_out(async move |inner: Arc<Inner>| {
            let revoked = inner.store.delete_token(account, id).await?;
            let mut believed = inner.tokens.believed.lock();
            believed.retain(|_, (principal, _)| principal.token != id);
            revoked
                .then_some(())
                .ok_or_else(|| Error::not_found(Noun::Token, id))
        })
        .await
    }

    /// Tells who a secret belongs to; `None` if it is unknown, revoked or expired.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn authenticate(&self, secret: &str) -> Result<Option<Principal>, Error> {
        let Some(hash) = SecretHash::of(secret) else {
            return Ok(None);
        };
        let now = now();
        let tokens = &self.inner.tokens;
        let principal = match tokens.find(hash) {
            Some(principal) => principal,
            None => {
                let Some(token) = self.inner.store.token(hash).await? else {
                    return Ok(None);
                };
                tokens.believe(hash, principal_of(token))
            }
        };
        if principal
            .expires_at
            .is_some_and(|expires_at| expires_at <= now)
        {
            return Ok(None);
        }
        tokens.uses.lock().insert(principal.token, now);
        Ok(Some(principal))
    }

    /// Makes a session for so long, for whoever knows the name of an issued token
    /// and its secret. It allows what the token does, and ends no later.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn log_in(
        &self,
        name: &str,
        secret: &str,
        lasting: Duration,
    ) -> Result<Option<(Principal, Secret)>, Error> {
        let Some(principal) = self.authenticate(secret).await? else {
            return Ok(None);
        };
        if principal.name != name || principal.kind != TokenKind::Issued {
            return Ok(None);
        }
        let end = now() + lasting;
        let session = NewToken {
            name: principal.name,
            role: principal.role,
            expires_at: Some(
                principal
                    .expires_at
                    .map_or(end, |expires_at| expires_at.min(end)),
            ),
        };
        let (token, secret) = self
            .inner
            .insert_token(principal.account, session, TokenKind::Session)
            .await?;
        Ok(Some((principal_of(token), secret)))
    }
}

impl Inner {
    async fn insert_token(
        &self,
        account: AccountId,
        new: NewToken,
        kind: TokenKind,
    ) -> Result<(Token, Secret), Error> {
        let secret = Secret::generate();
        let token = Token {
            id: TokenId::generate(),
            account,
            name: new.name,
            role: new.role,
            kind,
            created_at: now(),
            expires_at: new.expires_at,
            used_at: None,
        };
        self.store
            .insert_token(token.clone(), secret.hash())
            .await?;
        Ok((token, secret))
    }

    /// Stores when tokens were last used.
    pub(super) async fn flush_token_uses(&self) {
        let uses: Vec<_> = self.tokens.uses.lock().drain().collect();
        if uses.is_empty() {
            return;
        }
        if let Err(error) = self.store.touch_tokens(uses).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot note when tokens were used"
            );
        }
    }
}

impl Tokens {
    fn find(&self, hash: SecretHash) -> Option<Principal> {
        let believed = self.believed.lock();
        let (principal, since) = believed.get(&hash)?;
        (since.elapsed() < BELIEVED).then(|| principal.clone())
    }

    fn believe(&self, hash: SecretHash, principal: Principal) -> Principal {
        let mut believed = self.believed.lock();
        if believed.len() >= BELIEVED_MOST {
            believed.retain(|_, (_, since)| since.elapsed() < BELIEVED);
        }
        if believed.len() < BELIEVED_MOST {
            believed.insert(hash, (principal.clone(), Instant::now()));
        }
        principal
    }
}

fn principal_of(token: Token) -> Principal {
    Principal {
        account: token.account,
        token: token.id,
        name: token.name,
        role: token.role,
        expires_at: token.expires_at,
        kind: token.kind,
    }
}
