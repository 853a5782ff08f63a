//! Making, changing and removing principals.
//!
//! A change of a principal takes effect at once on every token that it holds, and on
//! the replies that they still read. An account that has an owner keeps one.

use std::sync::Arc;

use crate::clock::now;
use crate::dispatcher::Core;
use crate::error::{Error, Noun};
use crate::id::{AccountId, PrincipalId};
use crate::page::ACCOUNT_MAX;
use crate::registry::rules;
use crate::tenancy::identity::Identity;
use crate::tenancy::principal::{NewPrincipal, Principal, PrincipalChange};
use crate::tenancy::role::Role;

/// Principals: see [`Dispatcher::principals`](crate::Dispatcher::principals).
#[derive(Clone, Copy)]
pub struct Principals<'a> {
    pub(crate) core: &'a Arc<Core>,
}

impl Principals<'_> {
    /// Creates a principal. It cannot do anything before it is issued a token.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], [`Error::NameTaken`], [`Error::NotFound`] for the
    /// account, [`Error::Store`].
    pub async fn create(self, account: AccountId, new: NewPrincipal) -> Result<Principal, Error> {
        self.core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                let present = core.store.principals(account).await?.len();
                core.insert_principal(account, new, present).await
            })
            .await
    }

    /// Changes a principal. Its tokens allow no more than its new role at once.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::NameTaken`],
    /// [`Error::LastOwner`] for a lower role, [`Error::Store`].
    pub async fn change(
        self,
        account: AccountId,
        id: PrincipalId,
        change: PrincipalChange,
    ) -> Result<Principal, Error> {
        if let Some(name) = &change.name {
            rules::name("name", name)?;
        }
        self.core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                let role = change.role.unwrap_or(Role::Owner);
                let mut principal = if role < Role::Owner {
                    core.dispensable(account, id, "lower").await?
                } else {
                    core.principal(account, id).await?
                };
                principal.name = change.name.unwrap_or(principal.name);
                principal.role = change.role.unwrap_or(principal.role);
                principal.modified_at = now();
                core.store.update_principal(principal.clone()).await?;
                core.identity_cache
                    .forget(|identity| identity.principal == id);
                let of_it = |identity: &Identity| identity.principal == id;
                core.authorities.lower(principal.role, of_it);
                Ok(principal)
            })
            .await
    }

    /// Removes a principal with all its tokens, which are void at once. What it
    /// has created stays, and still names its creator.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::LastOwner`], [`Error::Store`].
    pub async fn delete(self, account: AccountId, id: PrincipalId) -> Result<(), Error> {
        self.core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                core.dispensable(account, id, "remove").await?;
                let deleted = core.store.delete_principal(account, id).await?;
                core.revoke(|identity| identity.principal == id);
                deleted
                    .then_some(())
                    .ok_or_else(|| Error::not_found(Noun::Principal, id))
            })
            .await
    }

    /// Lists the principals of an account, oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the account, [`Error::Store`].
    pub async fn list(self, account: AccountId) -> Result<Vec<Principal>, Error> {
        self.core.store.principals(account).await
    }

    /// Finds a principal.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn get(self, account: AccountId, id: PrincipalId) -> Result<Principal, Error> {
        self.core.principal(account, id).await
    }
}

impl Core {
    async fn principal(&self, account: AccountId, id: PrincipalId) -> Result<Principal, Error> {
        let principals = self.store.principals(account).await?;
        principals
            .into_iter()
            .find(|principal| principal.id == id)
            .ok_or_else(|| Error::not_found(Noun::Principal, id))
    }

    /// Returns the principal, unless it is the account's only owner. The caller holds the
    /// account's lock until the change is stored.
    async fn dispensable(
        &self,
        account: AccountId,
        id: PrincipalId,
        doing: &'static str,
    ) -> Result<Principal, Error> {
        let mut principals = self.store.principals(account).await?;
        let others_own = principals
            .iter()
            .any(|one| one.role == Role::Owner && one.id != id);
        let own = principals
            .iter()
            .position(|one| one.id == id)
            .map(|place| principals.swap_remove(place))
            .ok_or_else(|| Error::not_found(Noun::Principal, id))?;
        if own.role == Role::Owner && !others_own {
            return Err(Error::LastOwner {
                doing,
                name: own.name,
            });
        }
        Ok(own)
    }

    /// Creates a principal, beside `present` existing ones.
    pub(crate) async fn insert_principal(
        &self,
        account: AccountId,
        new: NewPrincipal,
        present: usize,
    ) -> Result<Principal, Error> {
        rules::name("name", &new.name)?;
        if present >= ACCOUNT_MAX as usize {
            return Err(Error::invalid(
                "name",
                "cannot be added: the account has 20000 principals",
            ));
        }
        let created_at = now();
        let principal = Principal {
            id: PrincipalId::generate(),
            account,
            name: new.name,
            role: new.role,
            created_at,
            modified_at: created_at,
        };
        self.store.insert_principal(principal.clone()).await?;
        Ok(principal)
    }
}
