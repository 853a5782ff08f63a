//! What an account has set up, in memory, found by what events and lists ask.
//!
//! It is read from the store when the account is first used, and every change
//! goes through the dispatcher, which keeps it true. Finding the hooks of an
//! event costs what they are, not what there are.

mod apps;
mod bound_hook;
mod damage;
mod held;
mod hooks;
mod index;
mod preloaded;

use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use self::bound_hook::BoundHook;
use self::damage::Damage;
pub(crate) use self::held::{Directories, Entry};
use self::hooks::Hooks;
pub(crate) use self::index::Index;
use self::index::Indexed;
use crate::error::{Error, Noun};
use crate::id::{AccountId, AppId, HookId, Key, Number, OverrideId, ServerId, SourceId};
use crate::registry::app::App;
use crate::registry::hook_override::HookOverride;
use crate::registry::lookup::Lookup;
use crate::registry::server::Server;
use crate::registry::source::Source;
use crate::runs::plan::Servers;
use crate::store::Store;
use crate::tenancy::account::Account;

/// What an account has set up.
pub(crate) struct Directory {
    account: Account,
    servers: Servers,
    server_numbers: HashMap<ServerId, Number>,
    sources: Index<Source>,
    /// Those sources that came with the account.
    preloaded: usize,
    apps: Index<App>,
    hooks: Hooks,
    overrides: HashMap<OverrideId, HookOverride>,
    /// Whether a hook is turned on or off for an application.
    switches: HashMap<(AppId, HookId), bool>,
    damage: Damage,
}

impl Directory {
    async fn read(store: &dyn Store, account: AccountId) -> Result<Self, Error> {
        let account = store
            .account(account)
            .await?
            .ok_or_else(|| Error::not_found(Noun::Account, account))?;
        let id = account.id;
        let mut directory = Self::of(account);
        for server in store.servers(id).await? {
            directory.put_server(server);
        }
        for source in store.sources(id).await? {
            directory.put_source(source);
        }
        preloaded::complete(store, &mut directory).await?;
        for app in store.apps(id).await? {
            directory.put_app(app);
        }
        let hooks = store.hooks(id).await?;
        let overrides = store.overrides(id).await?;
        let unreadable = store.unreadable(id).await?;
        directory.note_damage(unreadable);
        for hook in hooks {
            directory.put_hook(hook);
        }
        for hook_override in overrides {
            directory.put_override(hook_override);
        }
        Ok(directory)
    }

    /// An account that has set up nothing.
    fn of(account: Account) -> Self {
        Self {
            account,
            servers: Servers::new(),
            server_numbers: HashMap::new(),
            sources: Index::default(),
            preloaded: 0,
            apps: Index::default(),
            hooks: Hooks::default(),
            overrides: HashMap::new(),
            switches: HashMap::new(),
            damage: Damage::default(),
        }
    }

    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    pub(crate) fn put_account(&mut self, account: Account) {
        self.account = account;
    }

    pub(crate) fn check_app_hooks(&self) -> Result<(), Error> {
        if self.account.app_hooks.is_on() {
            return Ok(());
        }
        Err(Error::HooksDisabled)
    }

    pub(crate) fn servers(&self) -> &Servers {
        &self.servers
    }

    pub(crate) fn server(&self, key: Key<ServerId>) -> Result<&Server, Error> {
        let find = |key| match key {
            Key::Number(number) => self.servers.get(&number),
            Key::Id(id) => self.servers.get(self.server_numbers.get(&id)?),
        };
        find(key).ok_or_else(|| Error::not_found(Noun::Server, key))
    }

    pub(crate) fn put_server(&mut self, server: Server) {
        self.server_numbers.insert(server.id, server.number);
        self.servers.insert(server.number, server);
    }

    pub(crate) fn remove_server(&mut self, number: Number) {
        if let Some(server) = self.servers.remove(&number) {
            self.server_numbers.remove(&server.id);
        }
    }

    /// All sources by number; those that came with the account are the last.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().map(AsRef::as_ref)
    }

    /// How many sources the tenant has uploaded.
    pub(crate) fn uploaded(&self) -> usize {
        self.sources.len() - self.preloaded
    }

    pub(crate) fn find_sources<'a>(
        &'a self,
        lookup: &'a Lookup,
    ) -> impl Iterator<Item = &'a Source> {
        self.sources.find(lookup).map(AsRef::as_ref)
    }

    pub(crate) fn source(&self, key: Key<SourceId>) -> Result<&Source, Error> {
        match key {
            Key::Number(number) => self.sources.by_number(number),
            Key::Id(id) => self.sources.by_id(id.as_uuid()),
        }
        .map(AsRef::as_ref)
        .ok_or_else(|| Error::not_found(Noun::Source, key))
    }

    /// Finds a source that the tenant may change.
    pub(crate) fn own_source(&self, key: Key<SourceId>) -> Result<&Source, Error> {
        let source = self.source(key)?;
        if source.preloaded {
            return Err(Error::ReadOnly {
                what: Noun::Source,
                id: key.to_string(),
            });
        }
        Ok(source)
    }

    /// Puts a source in place of its former self; its hooks run it from now on.
    pub(crate) fn put_source(&mut self, source: Source) {
        self.remove_source(source.number);
        self.preloaded += usize::from(source.preloaded);
        let source = Arc::new(source);
        self.sources.put(Arc::clone(&source));
        // Their overrides stay.
        for hook in self.hooks_of(source.id) {
            self.hooks.put(hook, &source);
        }
    }

    pub(crate) fn remove_source(&mut self, number: Number) {
        if let Some(source) = self.sources.remove(number) {
            self.preloaded -= usize::from(source.preloaded);
        }
    }
}

impl Indexed for Source {
    fn id(&self) -> uuid::Uuid {
        self.id.as_uuid()
    }

    fn number(&self) -> Number {
        self.number
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn created_at(&self) -> time::OffsetDateTime {
        self.created_at
    }
}
