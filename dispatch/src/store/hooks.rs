//! Hooks, in the store. Those that come with a source are inserted by the call for that.

use async_trait::async_trait;

use crate::error::Error;
use crate::id::{AccountId, HookId};
use crate::registry::hook::Hook;

/// Hooks.
#[async_trait]
pub trait HookStore: Send + Sync {
    /// Stores a new hook.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for its source, [`Error::NameTaken`].
    async fn insert_hook(&self, account: AccountId, hook: Hook) -> Result<Hook, Error>;

    /// Replaces a hook. Its id and number stay.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the hook or its source, [`Error::NameTaken`].
    async fn update_hook(&self, account: AccountId, hook: Hook) -> Result<(), Error>;

    /// Removes a hook with its overrides. Returns whether there was one.
    async fn delete_hook(&self, account: AccountId, id: HookId) -> Result<bool, Error>;

    /// Lists the hooks of an account by number.
    async fn hooks(&self, account: AccountId) -> Result<Vec<Hook>, Error>;
}
