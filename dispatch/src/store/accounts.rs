//! Accounts, in the store. The numbers of their nouns are given by each noun's own calls.

use async_trait::async_trait;

use crate::error::Error;
use crate::id::AccountId;
use crate::tenancy::account::Account;

/// Accounts.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Stores a new account.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`].
    async fn insert_account(&self, account: Account) -> Result<Account, Error>;

    /// Replaces an account's name and switches. Its id and number stay.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NameTaken`].
    async fn update_account(&self, account: Account) -> Result<(), Error>;

    /// Finds an account.
    async fn account(&self, id: AccountId) -> Result<Option<Account>, Error>;

    /// Lists all accounts by number.
    async fn accounts(&self) -> Result<Vec<Account>, Error>;
}
