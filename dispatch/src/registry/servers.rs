//! Entering, changing and removing servers.

use std::sync::Arc;

use crate::clock::now;
use crate::disk::size;
use crate::dispatcher::Core;
use crate::error::{Error, Noun};
use crate::id::{AccountId, Key, Number, ServerId};
use crate::page::ACCOUNT_MAX;
use crate::registry::server::{NewServer, Server, ServerChange};
use crate::registry::{reference, rules};
use crate::tenancy::audit_events::ConfigChange;

/// Servers: see [`Dispatcher::servers`](crate::Dispatcher::servers).
#[derive(Clone, Copy)]
pub struct Servers<'a> {
    pub(crate) core: &'a Arc<Core>,
}

impl Servers<'_> {
    /// Enters a server.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], [`Error::NameTaken`], [`Error::Busy`], [`Error::DiskFull`],
    /// [`Error::Store`].
    pub async fn create(self, account: AccountId, new: NewServer) -> Result<Server, Error> {
        let created_at = now();
        let server = Server {
            id: new.id.unwrap_or_else(ServerId::generate),
            number: Number::UNASSIGNED,
            name: new.name,
            host: new.host,
            project: new.project,
            group: new.group,
            labels: new.labels,
            created_at,
            modified_at: created_at,
        };
        check(&server)?;
        let server = self
            .core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                {
                    let directory = entry.directory.read();
                    if directory.servers().len() >= ACCOUNT_MAX as usize {
                        return Err(Error::invalid(
                            "name",
                            "cannot be entered: the account has 20000 servers",
                        ));
                    }
                    reference::check(directory.servers(), &server)?;
                }
                let reserved = core.disk.reserve(account, size::of_server(&server))?;
                let server = core.store.insert_server(account, server).await?;
                core.disk.written(account, reserved);
                entry.directory.write().put_server(server.clone());
                Ok(server)
            })
            .await?;
        self.server_changed(account, &server, "created").await;
        Ok(server)
    }

    /// Changes a server.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::NameTaken`], [`Error::DiskFull`], [`Error::Store`].
    pub async fn change(
        self,
        account: AccountId,
        key: Key<ServerId>,
        change: ServerChange,
    ) -> Result<Server, Error> {
        let server = self
            .core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                let mut server = entry.directory.read().server(key)?.clone();
                let before = size::of_server(&server);
                let is_renamed = change
                    .name
                    .as_ref()
                    .is_some_and(|name| *name != server.name);
                server.name = change.name.unwrap_or(server.name);
                server.host = change.host.unwrap_or(server.host);
                server.project = change.project.unwrap_or(server.project);
                server.group = change.group.unwrap_or(server.group);
                server.labels = change.labels.unwrap_or(server.labels);
                server.modified_at = now();
                check(&server)?;
                if is_renamed {
                    reference::check(entry.directory.read().servers(), &server)?;
                }
                let after = size::of_server(&server);
                let reserved = core.disk.reserve_growth(account, before, after)?;
                core.store.update_server(account, server.clone()).await?;
                core.disk.written(account, reserved);
                entry.directory.write().put_server(server.clone());
                Ok(server)
            })
            .await?;
        self.server_changed(account, &server, "changed").await;
        Ok(server)
    }

    /// Removes a server.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::InUse`] by hooks that name it, [`Error::Store`].
    pub async fn delete(self, account: AccountId, key: Key<ServerId>) -> Result<(), Error> {
        let server = self
            .core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                let server = entry.directory.read().server(key)?.clone();
                core.store
                    .delete_server(account, server.id)
                    .await
                    .map_err(|error| in_the_callers_words(error, Noun::Server, key))?;
                entry.directory.write().remove_server(server.number);
                Ok(server)
            })
            .await?;
        self.server_changed(account, &server, "deleted").await;
        Ok(())
    }

    /// Lists the servers of an account by number.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn list(self, account: AccountId) -> Result<Vec<Server>, Error> {
        let entry = self.core.entry(account).await?;
        let directory = entry.directory.read();
        Ok(directory.servers().values().cloned().collect())
    }

    /// Finds a server.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn get(self, account: AccountId, key: Key<ServerId>) -> Result<Server, Error> {
        let entry = self.core.entry(account).await?;
        let directory = entry.directory.read();
        directory.server(key).cloned()
    }

    async fn server_changed(&self, account: AccountId, server: &Server, operation: &'static str) {
        let change = ConfigChange {
            object: "server",
            number: server.number,
            name: server.name.clone(),
            operation,
            server: (operation != "deleted").then_some(server.number),
        };
        self.core.config_changed(account, change).await;
    }
}

/// Lets an error name the object as the caller did.
pub(crate) fn in_the_callers_words<I: std::fmt::Display>(
    error: Error,
    noun: Noun,
    key: Key<I>,
) -> Error {
    match error {
        Error::InUse { what, by, .. } if what == noun => Error::InUse {
            what,
            id: key.to_string(),
            by,
        },
        error => error,
    }
}

fn check(server: &Server) -> Result<(), Error> {
    rules::name("name", &server.name)?;
    for (field, said) in [
        ("host", &server.host),
        ("project", &server.project),
        ("group", &server.group),
    ] {
        if let Some(name) = said {
            rules::name(field, name)?;
        }
    }
    rules::labels(&server.labels)
}
