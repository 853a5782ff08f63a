//! Applications, in the store. Their overrides of hooks are in [`overrides`](super::overrides).

use async_trait::async_trait;

use crate::error::Error;
use crate::id::{AccountId, AppId};
use crate::registry::app::App;

/// Applications.
#[async_trait]
pub trait AppStore: Send + Sync {
    /// Stores a new application.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`] for its name or id.
    async fn insert_app(&self, account: AccountId, app: App) -> Result<App, Error>;

    /// Replaces an application. Its id and number stay.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NameTaken`].
    async fn update_app(&self, account: AccountId, app: App) -> Result<(), Error>;

    /// Removes an application with its overrides. Returns whether there was one. The
    /// dispatcher has made sure that no hook is bound to it.
    async fn delete_app(&self, account: AccountId, id: AppId) -> Result<bool, Error>;

    /// Lists the applications of an account by number.
    async fn apps(&self, account: AccountId) -> Result<Vec<App>, Error>;
}
