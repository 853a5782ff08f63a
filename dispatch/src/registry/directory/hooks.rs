//! Hooks, found by the event and the application that they wait for.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::Directory;
use super::bound_hook::{Audience, BoundHook};
use super::index::{Index, Indexed as _, Listed, created};
use crate::error::{Error, Noun};
use crate::id::{AppId, HookId, Key, Number, SourceId};
use crate::registry::hook::Hook;
use crate::registry::hook_point::HookPointName;
use crate::registry::lookup::Lookup;
use crate::registry::recipe::Recipe;
use crate::registry::source::Source;

/// The hooks of an account.
#[derive(Default)]
pub(super) struct Hooks {
    all: Index<BoundHook>,
    /// In the order in which they run.
    waiting: HashMap<(HookPointName, Audience), Vec<Arc<BoundHook>>>,
    /// Those that wait for every type with a prefix, by that prefix; in the same order.
    by_prefix: HashMap<Box<str>, Vec<Arc<BoundHook>>>,
    by_app: HashMap<AppId, Listed<BoundHook>>,
    by_source: HashMap<SourceId, BTreeSet<Number>>,
}

impl Hooks {
    pub(super) fn put(&mut self, hook: Hook, source: &Source) {
        self.remove(hook.number);
        let recipe = Recipe::of(&hook, source);
        let bound = Arc::new(BoundHook::new(hook, recipe));
        if let Some(audience) = bound.waits_for() {
            let waiting = match bound.hook.event.prefix() {
                Some(prefix) => self.by_prefix.entry(prefix.into()).or_default(),
                None => self.waiting.entry(audience).or_default(),
            };
            let at = waiting.partition_point(|other| other.turn() < bound.turn());
            waiting.insert(at, Arc::clone(&bound));
        }
        if let Some(app) = bound.app() {
            let of_app = self.by_app.entry(app).or_default();
            of_app.insert(bound.place(), Arc::clone(&bound));
        }
        let of_source = self.by_source.entry(bound.hook.source).or_default();
        of_source.insert(bound.hook.number);
        self.all.put(bound);
    }

    pub(super) fn remove(&mut self, number: Number) -> Option<Arc<BoundHook>> {
        let bound = self.all.remove(number)?;
        if let Some(prefix) = bound.hook.event.prefix()
            && let Some(waiting) = self.by_prefix.get_mut(prefix)
        {
            waiting.retain(|other| other.hook.number != number);
            if waiting.is_empty() {
                self.by_prefix.remove(prefix);
            }
        } else if let Some(audience) = bound.waits_for()
            && let Some(waiting) = self.waiting.get_mut(&audience)
        {
            waiting.retain(|other| other.hook.number != number);
            if waiting.is_empty() {
                self.waiting.remove(&audience);
            }
        }
        if let Some(app) = bound.app()
            && let Some(of_app) = self.by_app.get_mut(&app)
        {
            of_app.remove(&bound.place());
            if of_app.is_empty() {
                self.by_app.remove(&app);
            }
        }
        if let Some(of_source) = self.by_source.get_mut(&bound.hook.source) {
            of_source.remove(&number);
            if of_source.is_empty() {
                self.by_source.remove(&bound.hook.source);
            }
        }
        Some(bound)
    }

    /// Forgets what hooks match in an application that is gone.
    pub(super) fn forget_app(&self, app: AppId) {
        for bound in self.all.iter().filter(|bound| bound.hook.managed) {
            bound.forget(app);
        }
    }

    fn waiting(&self, event: &HookPointName, audience: Audience) -> &[Arc<BoundHook>] {
        self.waiting
            .get(&(event.clone(), audience))
            .map_or(&[], Vec::as_slice)
    }
}

impl Directory {
    /// All hooks, by number.
    pub(crate) fn hooks(&self) -> impl ExactSizeIterator<Item = &Arc<BoundHook>> {
        self.hooks.all.iter()
    }

    pub(crate) fn hook(&self, key: Key<HookId>) -> Result<&Arc<BoundHook>, Error> {
        match key {
            Key::Number(number) => self.hooks.all.by_number(number),
            Key::Id(id) => self.hooks.all.by_id(id.as_uuid()),
        }
        .ok_or_else(|| Error::not_found(Noun::Hook, key))
    }

    pub(crate) fn hook_named(&self, name: &str) -> Option<&Arc<BoundHook>> {
        self.hooks.all.by_name(name)
    }

    /// The enabled hooks that wait for an event, by name or by prefix, those for containers
    /// aside, in the order in which they run. An account without hooks by prefix pays
    /// nothing for them.
    pub(crate) fn waiting_for(&self, event: &HookPointName) -> Cow<'_, [Arc<BoundHook>]> {
        let by_name = self.hooks.waiting(event, Audience::Event);
        let by_prefix = &self.hooks.by_prefix;
        if by_prefix.is_empty() {
            return Cow::Borrowed(by_name);
        }
        let found = event.prefixes().filter_map(|prefix| by_prefix.get(prefix));
        let mut all: Vec<_> = found.flatten().cloned().collect();
        if all.is_empty() {
            return Cow::Borrowed(by_name);
        }
        all.extend_from_slice(by_name);
        all.sort_unstable_by_key(|bound| bound.turn());
        Cow::Owned(all)
    }

    /// The hooks that wait for an event about an application and are on for it, in
    /// the order in which they run in each container.
    pub(crate) fn waiting_in(&self, event: &HookPointName, app: AppId) -> Vec<Arc<BoundHook>> {
        let own = self.hooks.waiting(event, Audience::App(app)).iter();
        let any = self.hooks.waiting(event, Audience::AnyApp).iter();
        let mut waiting: Vec<_> = own
            .chain(any)
            .filter(|bound| {
                let switched = self.override_for(app, bound.hook.id);
                switched.unwrap_or(bound.hook.enabled || self.damage.may_be_switched_on())
            })
            .cloned()
            .collect();
        waiting.sort_unstable_by_key(|bound| bound.turn());
        waiting
    }

    /// Hooks that a look-up names, all or those of one application, in the order of
    /// lists.
    pub(crate) fn find_hooks<'a>(
        &'a self,
        app: Option<AppId>,
        lookup: &'a Lookup,
    ) -> Box<dyn Iterator<Item = &'a Arc<BoundHook>> + 'a> {
        static NONE: Listed<BoundHook> = Listed::new();
        let Some(app) = app else {
            return self.hooks.all.find(lookup);
        };
        let of_app = || self.hooks.by_app.get(&app).unwrap_or(&NONE);
        match lookup {
            Lookup::All => Box::new(of_app().values()),
            Lookup::CreatedRange(from, to) => Box::new(created(of_app(), *from, *to)),
            Lookup::Ids(_) | Lookup::Names(_) | Lookup::NameRange(..) => {
                let found = self.hooks.all.find(lookup);
                Box::new(found.filter(move |bound| bound.app() == Some(app)))
            }
        }
    }

    /// The hooks of an application, oldest first.
    pub(crate) fn hooks_of_app(
        &self,
        app: AppId,
    ) -> impl ExactSizeIterator<Item = &Arc<BoundHook>> {
        static NONE: Listed<BoundHook> = Listed::new();
        self.hooks.by_app.get(&app).unwrap_or(&NONE).values()
    }

    /// The hooks that run a source, by number.
    pub(crate) fn hooks_of(&self, source: SourceId) -> Vec<Hook> {
        let numbers = self.hooks.by_source.get(&source).into_iter().flatten();
        numbers
            .filter_map(|number| self.hooks.all.by_number(*number))
            .map(|bound| bound.hook.clone())
            .collect()
    }

    /// Puts a hook in place of its former self. One whose source cannot be read fails.
    pub(crate) fn put_hook(&mut self, hook: Hook) {
        self.hooks.remove(hook.number);
        self.note_damage_of(&hook);
        if let Some(source) = self.sources.by_id(hook.source.as_uuid()) {
            self.hooks.put(hook, source);
        }
    }

    /// Removes a hook with its overrides.
    pub(crate) fn remove_hook(&mut self, number: Number) {
        if let Some(bound) = self.hooks.remove(number) {
            self.damage.forget(bound.hook.id);
            self.remove_overrides_of(bound.hook.id);
        }
    }
}
