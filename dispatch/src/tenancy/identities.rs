//! Telling who a secret belongs to, most often without asking the store.
//!
//! An entry is evicted the moment that its principal or token changes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use time::OffsetDateTime;

use crate::clock::now;
use crate::dispatcher::Core;
use crate::error::{Error, Noun};
use crate::id::TokenId;
use crate::tenancy::authority::Authority;
use crate::tenancy::identity::Identity;
use crate::tenancy::principal::Principal;
use crate::tenancy::role::Role;
use crate::tenancy::token::{Secret, SecretHash, SessionBounds, Token, TokenKind};

/// How long a token that was found is trusted without asking the store.
const BELIEVED: Duration = Duration::from_secs(60);

/// Most issued tokens cached at one time, and most sessions beside them: logins do not
/// evict tokens.
const BELIEVED_MOST: usize = 10_000;

/// What is known of tokens without asking the store.
#[derive(Default)]
pub(crate) struct IdentityCache {
    known: Mutex<Known>,
    uses: Mutex<HashMap<TokenId, OffsetDateTime>>,
}

#[derive(Default)]
struct Known {
    issued: HashMap<SecretHash, (Identity, Instant)>,
    sessions: HashMap<SecretHash, (Identity, Instant)>,
    /// Counts evictions: what was read from the store before one is not cached.
    forgotten: u64,
}

/// Who a secret belongs to: see [`Dispatcher::identities`](crate::Dispatcher::identities).
#[derive(Clone, Copy)]
pub struct Identities<'a> {
    pub(crate) core: &'a Arc<Core>,
}

impl Identities<'_> {
    /// Returns who a secret belongs to; `None` if it is unknown, revoked or expired.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn authenticate(self, secret: &str) -> Result<Option<Identity>, Error> {
        let Some(hash) = SecretHash::of(secret) else {
            return Ok(None);
        };
        self.core.identify(hash).await
    }

    /// Creates a session of at most `timeout`, for a client that knows the name of a principal and
    /// the secret of a token that was issued to it. It allows what the token does,
    /// and ends with it at the latest. Beyond [`SessionBounds::DEFAULT`], the oldest
    /// sessions end for it.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn log_in(
        self,
        name: &str,
        secret: &str,
        timeout: Duration,
    ) -> Result<Option<(Identity, Secret)>, Error> {
        let Some(identity) = self.authenticate(secret).await? else {
            return Ok(None);
        };
        if identity.name != name || identity.kind != TokenKind::Issued {
            return Ok(None);
        }
        let end = now() + timeout;
        let end = identity
            .expires_at
            .map_or(end, |expires_at| expires_at.min(end));
        let opened = self
            .core
            .carry_out(async move |core: Arc<Core>| core.open_session(identity, end).await)
            .await;
        match opened {
            Ok(session) => Ok(Some(session)),
            // The token was revoked after it was authenticated.
            Err(Error::NotFound {
                what: Noun::Token, ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Registers the authority of a caller who was authorized to do what needs this role,
    /// for a long-lived reply, which selects on its end.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn hold_authority(
        self,
        identity: &Identity,
        needs: Role,
    ) -> Result<Authority, Error> {
        let authority = self.core.authorities.hold(identity.clone(), needs);
        // A change from before the registration did not signal it, but is seen here.
        match self.core.identify(identity.hash).await? {
            None => {
                let own = |held: &Identity| held.token == identity.token;
                self.core.authorities.revoke(own);
            }
            Some(now) => {
                let own = |held: &Identity| held.token == now.token;
                self.core.authorities.lower(now.role, own);
            }
        }
        Ok(authority)
    }
}

impl Core {
    async fn identify(&self, hash: SecretHash) -> Result<Option<Identity>, Error> {
        let now = now();
        let identity = match self.identity_cache.find(hash) {
            Ok(identity) => identity,
            Err(forgotten) => {
                let Some((token, principal)) = self.store.token(hash).await? else {
                    return Ok(None);
                };
                let identity = identity_of(token, principal, hash);
                self.identity_cache.believe(hash, &identity, forgotten);
                identity
            }
        };
        if identity
            .expires_at
            .is_some_and(|expires_at| expires_at <= now)
        {
            return Ok(None);
        }
        self.identity_cache.uses.lock().insert(identity.token, now);
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
            parent: Some(identity.token),
            created_at: now(),
            expires_at: Some(end),
            used_at: None,
        };
        let ended = self
            .store
            .insert_login(token.clone(), secret.hash(), SessionBounds::DEFAULT)
            .await?;
        if !ended.is_empty() {
            self.revoke(|identity| ended.contains(&identity.token));
        }
        let identity = Identity {
            token: token.id,
            parent: token.parent,
            expires_at: token.expires_at,
            kind: token.kind,
            hash: secret.hash(),
            ..identity
        };
        Ok((identity, secret))
    }

    /// Drops matching identities from the cache and ends their long-lived replies. The
    /// store has already removed them.
    pub(crate) fn revoke(&self, matches: impl Fn(&Identity) -> bool) {
        self.identity_cache.forget(&matches);
        self.authorities.revoke(matches);
    }

    /// Stores when tokens were last used.
    pub(crate) async fn flush_token_uses(&self) {
        let uses: Vec<_> = self.identity_cache.uses.lock().drain().collect();
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

impl IdentityCache {
    /// Finds an identity; `Err` is what to hand to [`believe`](Self::believe) later.
    fn find(&self, hash: SecretHash) -> Result<Identity, u64> {
        let known = self.known.lock();
        let found = known.issued.get(&hash);
        let found = found.or_else(|| known.sessions.get(&hash));
        match found {
            Some((identity, since)) if since.elapsed() < BELIEVED => Ok(identity.clone()),
            _ => Err(known.forgotten),
        }
    }

    fn believe(&self, hash: SecretHash, identity: &Identity, forgotten: u64) {
        let mut known = self.known.lock();
        if known.forgotten != forgotten {
            return;
        }
        let places = match identity.kind {
            TokenKind::Issued => &mut known.issued,
            TokenKind::Session => &mut known.sessions,
        };
        if places.len() >= BELIEVED_MOST {
            places.retain(|_, (_, since)| since.elapsed() < BELIEVED);
        }
        if places.len() < BELIEVED_MOST {
            places.insert(hash, (identity.clone(), Instant::now()));
        }
    }

    /// Evicts the identities that `which` selects.
    pub(crate) fn forget(&self, which: impl Fn(&Identity) -> bool) {
        let mut known = self.known.lock();
        known.forgotten += 1;
        known.issued.retain(|_, (identity, _)| !which(identity));
        known.sessions.retain(|_, (identity, _)| !which(identity));
    }

    /// Completes tokens with uses that are not stored yet.
    pub(crate) fn note_uses_of(&self, tokens: &mut [Token]) {
        let uses = self.uses.lock();
        for token in tokens {
            token.used_at = uses.get(&token.id).copied().max(token.used_at);
        }
    }
}

fn identity_of(token: Token, principal: Principal, hash: SecretHash) -> Identity {
    Identity {
        account: token.account,
        principal: principal.id,
        name: principal.name,
        token: token.id,
        parent: token.parent,
        role: token.role.min(principal.role),
        expires_at: token.expires_at,
        kind: token.kind,
        hash,
    }
}
