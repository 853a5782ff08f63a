//! Entering, changing and removing servers.

use std::sync::Arc;

use super::audit::ConfigChange;
use super::{Dispatcher, Inner};
use crate::clock::now;
use crate::disk::size;
use crate::error::{Error, Noun};
use crate::id::{AccountId, Key, Number, ServerId};
use crate::page::ACCOUNT_MAX;
use crate::rules;
use crate::server::{NewServer, Server, ServerChange};

impl Dispatcher {
    /// Enters a server.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], [`Error::NameTaken`], [`Error::Busy`], [`Error::DiskFull`],
    /// [`Error::Store`].
    pub async fn create_server(&self, account: AccountId, new: NewServer) -> Result<Server, Error> {
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
            .carry_out(async move |inner: Arc<Inner>| {
                let entry = inner.entry(account).await?;
                let _changing = entry.changing.lock().await;
                if entry.directory.read().servers().len() >= ACCOUNT_MAX as usize {
                    return Err(Error::invalid(
                        "name",
                        "cannot be entered: the account has 20000 servers",
                    ));
                }
                let reserved = inner.disk.reserve(account, size::of_server(&server))?;
                let server = inner.store.insert_server(account, server).await?;
                inner.disk.written(account, reserved);
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
    pub async fn change_server(
        &self,
        account: AccountId,
        key: Key<ServerId>,
        change: ServerChange,
    ) -> Result<Server, Error> {
        let server = self
            .carry_out(async move |inner: Arc<Inner>| {
                let entry = inner.entry(account).await?;
                let _changing = entry.changing.lock().await;
                let mut server = entry.directory.read().server(key)?.clone();
                let before = size::of_server(&server);
                server.name = change.name.unwrap_or(server.name);
                server.host = change.host.unwrap_or(server.host);
                server.project = change.project.unwrap_or(server.project);
                server.group = change.group.unwrap_or(server.group);
                server.labels = change.labels.unwrap_or(server.labels);
                server.modified_at = now();
                check(&server)?;
                let after = size::of_server(&server);
                let reserved = inner.disk.reserve_growth(account, before, after)?;
                inner.store.update_server(account, server.clone()).await?;
                inner.disk.written(account, reserved);
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
    pub async fn delete_server(&self, account: AccountId, key: Key<ServerId>) -> Result<(), Error> {
        let server = self
            .carry_out(async move |inner: Arc<Inner>| {
                let entry = inner.entry(account).await?;
                let _changing = entry.changing.lock().await;
                let server = entry.directory.read().server(key)?.clone();
                inner
                    .store
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
    pub async fn servers(&self, account: AccountId) -> Result<Vec<Server>, Error> {
        let entry = self.inner.entry(account).await?;
        let directory = entry.directory.read();
        Ok(directory.servers().values().cloned().collect())
    }

    /// Finds a server.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn server(&self, account: AccountId, key: Key<ServerId>) -> Result<Server, Error> {
        let entry = self.inner.entry(account).await?;
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
        self.config_changed(account, change).await;
    }
}

/// Lets an error name the object as the caller did.
pub(super) fn in_the_callers_words<I: std::fmt::Display>(
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
