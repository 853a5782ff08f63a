//! Overrides, in the store: hooks switched on or off for one application.

use async_trait::async_trait;

use crate::error::Error;
use crate::id::{AccountId, OverrideId};
use crate::registry::hook_override::HookOverride;

/// Overrides of hooks for one application.
#[async_trait]
pub trait OverrideStore: Send + Sync {
    /// Stores a new override.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`] if the hook has one for that application already,
    /// [`Error::NotFound`] for the hook or the application.
    async fn insert_override(
        &self,
        account: AccountId,
        hook_override: HookOverride,
    ) -> Result<(), Error>;

    /// Replaces an override's switch and labels.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    async fn update_override(
        &self,
        account: AccountId,
        hook_override: HookOverride,
    ) -> Result<(), Error>;

    /// Removes an override. Returns whether there was one.
    async fn delete_override(&self, account: AccountId, id: OverrideId) -> Result<bool, Error>;

    /// Lists the overrides of an account, oldest first.
    async fn overrides(&self, account: AccountId) -> Result<Vec<HookOverride>, Error>;
}
