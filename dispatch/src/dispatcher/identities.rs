//! Telling who a secret belongs to, most often without asking the store.
//!
//! What is believed is forgotten the moment that a principal or a token changes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use time::OffsetDateTime;

use super::{Dispatcher, Inner};
use crate::clock::now;
use crate::error::Error;
use crate::id::TokenId;
use crate::identity::Identity;
use crate::principal::Principal;
use crate::token::{Secret, SecretHash, Token, TokenKind};

/// How long a token that was found is believed without asking the store.
const BELIEVED: Duration = Duration::from_secs(60);

/// Most tokens believed at one time.
const BELIEVED_MOST: usize = 10_000;

/// What is known of tokens without asking the store.
#[derive(Default)]
pub(super) struct Believed {
    known: Mutex<Known>,
    uses: Mutex<HashMap<TokenId, OffsetDateTime>>,
}

#[derive(Default)]
struct Known {
    identities: HashMap<SecretHash, (Identity, Instant)>,
    /// Counts what was forgotten: what the store said before that is not believed.
    forgotten: u64,
}

impl Dispatcher {
    /// Tells who a secret belongs to; `None` if it is unknown, revoked or expired.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn authenticate(&self, secret: &str) -> Result<Option<Identity>, Error> {
        let Some(hash) = SecretHash::of(secret) else {
            return Ok(None);
        };
        self.inner.identify(hash).await
    }

    /// Makes a session for so long, for whoever knows the name of a principal and
    /// the secret of a token that was issued to it. It allows what the token does,
    /// and ends no later.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn log_in(
        &self,
        name: &str,
        secret: &str,
        lasting: Duration,
    ) -> Result<Option<(Identity, Secret)>, Error> {
        let Some(identity) = self.authenticate(secret).await? else {
            return Ok(None);
        };
        if identity.name != name || identity.kind != TokenKind::Issued {
            return Ok(None);
        }
        let end = now() + lasting;
        let end = identity
            .expires_at
            .map_or(end, |expires_at| expires_at.min(end));
        let session = self.inner.open_session(identity, end).await?;
        Ok(Some(session))
    }
}

impl Inner {
    async fn identify(&self, hash: SecretHash) -> Result<Option<Identity>, Error> {
        let now = now();
        let identity = match self.believed.find(hash) {
            Ok(identity) => identity,
            Err(forgotten) => {
                let Some((token, principal)) = self.store.token(hash).await? else {
                    return Ok(None);
                };
                let identity = identity_of(token, principal);
                self.believed.believe(hash, &identity, forgotten);
                identity
            }
        };
        if identity
            .expires_at
            .is_some_and(|expires_at| expires_at <= now)
        {
            return Ok(None);
        }
        self.believed.uses.lock().insert(identity.token, now);
        Ok(Some(identity))
    }

    async fn open_session(
        &self,
        identity: Identity,
        end: OffsetDateTime,
    ) -> Result<(Identity, Secret), Error> {
        let secret = Secret::generate();
        let token = Token {
            id: TokenId::generate(),
            account: identity.account,
            principal: identity.principal,
            name: identity.name.clone(),
            role: identity.role,
            kind: TokenKind::Session,
            created_at: now(),
            expires_at: Some(end),
            used_at: None,
        };
        self.store
            .insert_token(token.clone(), secret.hash())
            .await?;
        let identity = Identity {
            token: token.id,
            expires_at: token.expires_at,
            kind: token.kind,
            ..identity
        };
        Ok((identity, secret))
    }

    /// Stores when tokens were last used.
    pub(super) async fn flush_token_uses(&self) {
        let uses: Vec<_> = self.believed.uses.lock().drain().collect();
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

impl Believed {
    /// Finds an identity; `Err` is what to hand to [`believe`](Self::believe) later.
    fn find(&self, hash: SecretHash) -> Result<Identity, u64> {
        let known = self.known.lock();
        match known.identities.get(&hash) {
            Some((identity, since)) if since.elapsed() < BELIEVED => Ok(identity.clone()),
            _ => Err(known.forgotten),
        }
    }

    fn believe(&self, hash: SecretHash, identity: &Identity, forgotten: u64) {
        let mut known = self.known.lock();
        if known.forgotten != forgotten {
            return;
        }
        if known.identities.len() >= BELIEVED_MOST {
            known
                .identities
                .retain(|_, (_, since)| since.elapsed() < BELIEVED);
        }
        if known.identities.len() < BELIEVED_MOST {
            known
                .identities
                .insert(hash, (identity.clone(), Instant::now()));
        }
    }

    /// Believes nothing any more of those that `which` tells.
    pub(super) fn forget(&self, which: impl Fn(&Identity) -> bool) {
        let mut known = self.known.lock();
        known.forgotten += 1;
        known.identities.retain(|_, (identity, _)| !which(identity));
    }

    /// Completes tokens with uses that are not stored yet.
    pub(super) fn note_uses_of(&self, tokens: &mut [Token]) {
        let uses = self.uses.lock();
        for token in tokens {
            token.used_at = uses.get(&token.id).copied().max(token.used_at);
        }
    }
}

fn identity_of(token: Token, principal: Principal) -> Identity {
    Identity {
        account: token.account,
        principal: principal.id,
        name: principal.name,
        token: token.id,
        role: token.role.min(principal.role),
        expires_at: token.expires_at,
        kind: token.kind,
    }
}
