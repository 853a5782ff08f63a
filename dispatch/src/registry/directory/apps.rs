//! Applications, and which of the operator's hooks are turned on or off for them.

use std::sync::Arc;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Directory, Indexed};
use crate::error::{Error, Noun};
use crate::id::{AppId, HookId, Key, Number, OverrideId};
use crate::registry::app::App;
use crate::registry::hook_override::HookOverride;
use crate::registry::reference;

impl Directory {
    /// All applications, by number.
    pub(crate) fn apps(&self) -> impl ExactSizeIterator<Item = &Arc<App>> {
        self.apps.iter()
    }

    pub(crate) fn app(&self, key: Key<AppId>) -> Result<&Arc<App>, Error> {
        match key {
            Key::Number(number) => self.apps.by_number(number),
            Key::Id(id) => self.apps.by_id(id.as_uuid()),
        }
        .ok_or_else(|| Error::not_found(Noun::App, key))
    }

    /// Finds the application that an event is about, by id, number or name.
    pub(crate) fn subject(&self, subject: &str) -> Result<&Arc<App>, Error> {
        reference::resolve(&self.apps, "subject", subject)
    }

    /// Checks that an application does not get a name by which it could be taken for another.
    pub(crate) fn check_app_name(&self, app: &Arc<App>) -> Result<(), Error> {
        reference::check(&self.apps, app)
    }

    pub(crate) fn put_app(&mut self, app: App) {
        self.apps.put(Arc::new(app));
    }

    /// Removes an application with its overrides. No hook is bound to it.
    pub(crate) fn remove_app(&mut self, number: Number) {
        let Some(app) = self.apps.remove(number) else {
            return;
        };
        self.overrides.retain(|_, other| other.app != app.id);
        self.switches.retain(|(of, _), _| *of != app.id);
        self.hooks.forget_app(app.id);
    }

    pub(crate) fn overrides(&self) -> impl ExactSizeIterator<Item = &HookOverride> {
        self.overrides.values()
    }

    pub(crate) fn override_of(&self, id: OverrideId) -> Result<&HookOverride, Error> {
        self.overrides
            .get(&id)
            .ok_or_else(|| Error::not_found(Noun::Override, id))
    }

    /// Whether a hook is turned on or off for an application; `None` leaves it to
    /// the hook.
    pub(crate) fn override_for(&self, app: AppId, hook: HookId) -> Option<bool> {
        self.switches.get(&(app, hook)).copied()
    }

    pub(crate) fn put_override(&mut self, new: HookOverride) {
        self.switches.insert((new.app, new.hook), new.enabled);
        self.overrides.insert(new.id, new);
    }

    pub(crate) fn remove_override(&mut self, id: OverrideId) {
        if let Some(old) = self.overrides.remove(&id) {
            self.switches.remove(&(old.app, old.hook));
        }
    }

    pub(super) fn remove_overrides_of(&mut self, hook: HookId) {
        self.overrides.retain(|_, other| other.hook != hook);
        self.switches.retain(|(_, of), _| *of != hook);
    }
}

impl Indexed for App {
    fn id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn number(&self) -> Number {
        self.number
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn created_at(&self) -> OffsetDateTime {
        self.created_at
    }
}
