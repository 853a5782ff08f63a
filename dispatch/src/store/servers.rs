//! The inventory of servers, in the store.

use async_trait::async_trait;

use crate::error::Error;
use crate::id::{AccountId, ServerId};
use crate::registry::server::Server;

/// The inventory of servers.
#[async_trait]
pub trait ServerStore: Send + Sync {
    /// Stores a new server.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`] for its name or id.
    async fn insert_server(&self, account: AccountId, server: Server) -> Result<Server, Error>;

    /// Replaces a server. Its id and number stay.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::NameTaken`].
    async fn update_server(&self, account: AccountId, server: Server) -> Result<(), Error>;

    /// Removes a server.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::InUse`] by hooks that name it.
    async fn delete_server(&self, account: AccountId, id: ServerId) -> Result<(), Error>;

    /// Lists the servers of an account by number.
    async fn servers(&self, account: AccountId) -> Result<Vec<Server>, Error>;
}
