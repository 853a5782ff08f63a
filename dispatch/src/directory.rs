//! An account's servers, sources and hooks in memory, found by what events ask.
//!
//! It is read from the store when the account is first used, and every change
//! goes through the dispatcher, which keeps it true. Finding the hooks of an
//! event costs what they are, not what there are.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::error::{Error, Noun};
use crate::hook::Hook;
use crate::hook_point::HookPointName;
use crate::id::{AccountId, HookId, Key, Number, ServerId, SourceId};
use crate::plan::{Bound, Servers};
use crate::recipe::Recipe;
use crate::server::Server;
use crate::source::Source;
use crate::store::Store;

/// An account's servers, sources and hooks.
#[derive(Default)]
pub(crate) struct Directory {
    servers: Servers,
    sources: BTreeMap<Number, Source>,
    source_numbers: HashMap<SourceId, Number>,
    hooks: BTreeMap<Number, Arc<Bound>>,
    hook_numbers: HashMap<HookId, Number>,
    /// Enabled hooks, in the order in which they run.
    by_event: HashMap<HookPointName, Vec<Arc<Bound>>>,
}

impl Directory {
    async fn read(store: &dyn Store, account: AccountId) -> Result<Self, Error> {
        let mut directory = Self::default();
        for server in store.servers(account).await? {
            directory.put_server(server);
        }
        for source in store.sources(account).await? {
            directory.put_source(source);
        }
        for hook in store.hooks(account).await? {
            directory.put_hook(hook);
        }
        Ok(directory)
    }

    pub(crate) fn servers(&self) -> &Servers {
        &self.servers
    }

    pub(crate) fn sources(&self) -> impl ExactSizeIterator<Item = &Source> {
        self.sources.values()
    }

    pub(crate) fn hooks(&self) -> impl ExactSizeIterator<Item = &Arc<Bound>> {
        self.hooks.values()
    }

    /// The enabled hooks that wait for an event, in the order in which they run.
    pub(crate) fn waiting_for(&self, event: &HookPointName) -> &[Arc<Bound>] {
        self.by_event.get(event).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn server(&self, key: Key<ServerId>) -> Result<&Server, Error> {
        match key {
            Key::Number(number) => self.servers.get(&number),
            Key::Id(id) => self.servers.values().find(|server| server.id == id),
        }
        .ok_or_else(|| Error::not_found(Noun::Server, key))
    }

    pub(crate) fn source(&self, key: Key<SourceId>) -> Result<&Source, Error> {
        let number = match key {
            Key::Number(number) => Some(number),
            Key::Id(id) => self.source_numbers.get(&id).copied(),
        };
        number
            .and_then(|number| self.sources.get(&number))
            .ok_or_else(|| Error::not_found(Noun::Source, key))
    }

    pub(crate) fn hook(&self, key: Key<HookId>) -> Result<&Arc<Bound>, Error> {
        let number = match key {
            Key::Number(number) => Some(number),
            Key::Id(id) => self.hook_numbers.get(&id).copied(),
        };
        number
            .and_then(|number| self.hooks.get(&number))
            .ok_or_else(|| Error::not_found(Noun::Hook, key))
    }

    pub(crate) fn put_server(&mut self, server: Server) {
        self.servers.insert(server.number, server);
    }

    pub(crate) fn remove_server(&mut self, number: Number) {
        self.servers.remove(&number);
    }

    /// Puts a source in place of its former self; its hooks run it from now on.
    pub(crate) fn put_source(&mut self, source: Source) {
        let hooks: Vec<Hook> = match self.source_numbers.insert(source.id, source.number) {
            None => Vec::new(),
            Some(_) => self.hooks_of(source.id),
        };
        self.sources.insert(source.number, source);
        for hook in hooks {
            self.put_hook(hook);
        }
    }

    pub(crate) fn remove_source(&mut self, number: Number) {
        if let Some(source) = self.sources.remove(&number) {
            self.source_numbers.remove(&source.id);
        }
    }

    /// Puts a hook in place of its former self. Its source must be there.
    pub(crate) fn put_hook(&mut self, hook: Hook) {
        self.remove_hook(hook.number);
        let Ok(source) = self.source(Key::Id(hook.source)) else {
            return;
        };
        let bound = Arc::new(Bound {
            recipe: Arc::new(Recipe::of(&hook, source)),
            hook,
        });
        if bound.hook.enabled {
            let place = |bound: &Arc<Bound>| (bound.hook.order, bound.hook.number);
            let waiting = self.by_event.entry(bound.hook.event.clone()).or_default();
            let at = waiting.partition_point(|other| place(other) < place(&bound));
            waiting.insert(at, Arc::clone(&bound));
        }
        self.hook_numbers.insert(bound.hook.id, bound.hook.number);
        self.hooks.insert(bound.hook.number, bound);
    }

    pub(crate) fn remove_hook(&mut self, number: Number) {
        let Some(bound) = self.hooks.remove(&number) else {
            return;
        };
        self.hook_numbers.remove(&bound.hook.id);
        if let Some(waiting) = self.by_event.get_mut(&bound.hook.event) {
            waiting.retain(|other| other.hook.number != number);
            if waiting.is_empty() {
                self.by_event.remove(&bound.hook.event);
            }
        }
    }

    /// The hooks that run a source.
    pub(crate) fn hooks_of(&self, source: SourceId) -> Vec<Hook> {
        self.hooks
            .values()
            .filter(|bound| bound.hook.source == source)
            .map(|bound| bound.hook.clone())
            .collect()
    }
}

/// One account's directory, with the lock that changes of it are made under.
pub(crate) struct Entry {
    /// Held from reading what is to be changed until the change is stored.
    pub(crate) changing: tokio::sync::Mutex<()>,
    pub(crate) directory: RwLock<Directory>,
}

/// The directories of the accounts used lately.
#[derive(Default)]
pub(crate) struct Directories {
    entries: Mutex<HashMap<AccountId, Arc<tokio::sync::OnceCell<Arc<Entry>>>>>,
}

/// Most directories held; reading one anew costs three queries.
const HELD: usize = 4_096;

impl Directories {
    /// Finds an account's directory, or reads it.
    pub(crate) async fn of(
        &self,
        store: &dyn Store,
        account: AccountId,
    ) -> Result<Arc<Entry>, Error> {
        let cell = {
            let mut entries = self.entries.lock();
            if entries.len() >= HELD {
                // One that somebody holds may be changing, and must stay the only one.
                entries.retain(|_, cell| {
                    Arc::strong_count(cell) > 1
                        || cell.get().is_none_or(|e| Arc::strong_count(e) > 1)
                });
            }
            Arc::clone(entries.entry(account).or_default())
        };
        cell.get_or_try_init(async || {
            let directory = Directory::read(store, account).await?;
            Ok(Arc::new(Entry {
                changing: tokio::sync::Mutex::new(()),
                directory: RwLock::new(directory),
            }))
        })
        .await
        .cloned()
    }
}
