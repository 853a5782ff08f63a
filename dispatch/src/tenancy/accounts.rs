//! Accounts, and whether they may use Astra's hooks.

use std::sync::Arc;

use crate::clock::now;
use crate::dispatcher::Core;
use crate::error::{Error, Noun};
use crate::id::{AccountId, Number};
use crate::registry::rules;
use crate::tenancy::account::{Account, Switch};

/// Accounts: see [`Dispatcher::accounts`](crate::Dispatcher::accounts).
#[derive(Clone, Copy)]
pub struct Accounts<'a> {
    pub(crate) core: &'a Arc<Core>,
}

impl Accounts<'_> {
    /// Creates an account. The first one is the operator's own.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], [`Error::NameTaken`], [`Error::Store`].
    pub async fn create(self, name: &str) -> Result<Account, Error> {
        rules::name("name", name)?;
        let account = Account {
            id: AccountId::generate(),
            number: Number::UNASSIGNED,
            name: name.to_owned(),
            app_hooks: Switch::On,
            created_at: now(),
        };
        self.core
            .carry_out(async move |core: Arc<Core>| {
                let account = core.store.insert_account(account).await?;
                // Reading its directory gives it the sources that come with it.
                core.entry(account.id).await?;
                Ok(account)
            })
            .await
    }

    /// Lists all accounts by number.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn list(self) -> Result<Vec<Account>, Error> {
        self.core.store.accounts().await
    }

    /// Finds an account. It is served from memory.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn get(self, id: AccountId) -> Result<Account, Error> {
        let entry = self.core.entry(id).await?;
        let directory = entry.directory.read();
        Ok(directory.account().clone())
    }

    /// Gives an account another name.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::NameTaken`], [`Error::Store`].
    pub async fn rename(self, id: AccountId, name: &str) -> Result<Account, Error> {
        rules::name("name", name)?;
        let name = name.to_owned();
        self.change_account(id, move |account, _| {
            account.name = name;
            Ok(())
        })
        .await
    }

    /// Switches hooks on applications on or off for an account.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]; [`Error::WrongState`] if they are to be switched off
    /// while hooks are bound to the hook points of applications; [`Error::Store`].
    pub async fn switch_app_hooks(self, id: AccountId, to: Switch) -> Result<Account, Error> {
        self.change_account(id, move |account, hooks| {
            account.app_hooks = to;
            if to.is_on() || hooks == 0 {
                return Ok(());
            }
            Err(Error::WrongState {
                doing: "switch off the execution hooks of",
                what: Noun::Account,
                id: account.id.to_string(),
                state: format!("using {hooks} of them"),
            })
        })
        .await
    }

    /// Checks that an account may use hooks on applications: to be asked before anything
    /// that their interface does with sources, hooks and overrides.
    ///
    /// # Errors
    ///
    /// [`Error::HooksDisabled`], [`Error::NotFound`] for the account, [`Error::Store`].
    pub async fn check_app_hooks(self, id: AccountId) -> Result<(), Error> {
        let entry = self.core.entry(id).await?;
        let directory = entry.directory.read();
        directory.check_app_hooks()
    }

    /// Changes an account; `change` is given the number of hooks that are bound to the hook
    /// points of applications.
    async fn change_account(
        &self,
        id: AccountId,
        change: impl FnOnce(&mut Account, usize) -> Result<(), Error> + Send + 'static,
    ) -> Result<Account, Error> {
        self.core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(id).await?;
                let _changing = entry.changing.lock().await;
                let account = {
                    let directory = entry.directory.read();
                    let hooks = directory
                        .hooks()
                        .filter(|bound| bound.hook.event.is_astra())
                        .count();
                    let mut account = directory.account().clone();
                    change(&mut account, hooks)?;
                    account
                };
                core.store.update_account(account.clone()).await?;
                entry.directory.write().put_account(account.clone());
                Ok(account)
            })
            .await
    }
}
