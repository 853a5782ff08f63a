//! A hook with what follows from it: its recipe, whom it waits for, what it matches.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use time::OffsetDateTime;
use uuid::Uuid;

use super::index::Indexed;
use crate::id::{AppId, Number};
use crate::registry::app::App;
use crate::registry::criterion::Matcher;
use crate::registry::hook::{Hook, Targets};
use crate::registry::hook_point::HookPointName;
use crate::registry::recipe::Recipe;

/// A hook with the recipe that it follows now.
#[derive(Debug)]
pub(crate) struct BoundHook {
    pub(crate) hook: Hook,
    pub(crate) recipe: Arc<Recipe>,
    /// Which containers of an application it matches, while that is the same.
    matched: Mutex<HashMap<AppId, Matched>>,
}

/// Which containers of an application a hook matches, as places in its list.
#[derive(Debug)]
struct Matched {
    /// The application as it was then.
    of: Arc<App>,
    places: Arc<[usize]>,
}

impl BoundHook {
    pub(crate) fn new(hook: Hook, recipe: Recipe) -> Self {
        Self {
            hook,
            recipe: Arc::new(recipe),
            matched: Mutex::default(),
        }
    }

    /// The containers of an application that the hook runs for, as places in its
    /// list. They are worked out once for each change of the hook or the
    /// application, which may take a while: not for a thread that others wait for.
    pub(crate) fn places_in(&self, app: &Arc<App>) -> Arc<[usize]> {
        if let Some(places) = self.known_places_in(app) {
            return places;
        }
        let Targets::Containers { criteria, .. } = &self.hook.targets else {
            return Arc::default();
        };
        // Expressions that were accepted once and are now refused match nothing.
        let places: Arc<[usize]> = match Matcher::compile(criteria) {
            Ok(matcher) => (0..)
                .zip(&app.containers)
                .filter(|(_, container)| matcher.matches(container))
                .map(|(place, _)| place)
                .collect(),
            Err(error) => {
                tracing::warn!(
                    hook.id = %self.hook.id,
                    error = &error as &dyn std::error::Error,
                    "cannot match containers against the criteria of a hook"
                );
                Arc::default()
            }
        };
        let matched = Matched {
            of: Arc::clone(app),
            places: Arc::clone(&places),
        };
        self.matched.lock().insert(app.id, matched);
        places
    }

    /// The same, if it has been worked out already.
    pub(crate) fn known_places_in(&self, app: &Arc<App>) -> Option<Arc<[usize]>> {
        let matched = self.matched.lock();
        let known = matched.get(&app.id)?;
        Arc::ptr_eq(&known.of, app).then(|| Arc::clone(&known.places))
    }

    /// Forgets what it matches in an application that is gone.
    pub(super) fn forget(&self, app: AppId) {
        self.matched.lock().remove(&app);
    }

    /// The order in which hooks run on one target.
    pub(crate) fn turn(&self) -> (i32, Number) {
        (self.hook.order, self.hook.number)
    }

    /// Audience it waits for; `None` if it is switched off.
    pub(super) fn waits_for(&self) -> Option<(HookPointName, Audience)> {
        let audience = match self.hook.targets {
            Targets::Containers { app: Some(app), .. } => Audience::App(app),
            Targets::Containers { app: None, .. } => Audience::AnyApp,
            Targets::Once | Targets::All | Targets::These(_) => Audience::Event,
        };
        // Those that the operator keeps may be turned on for one application.
        let waits = self.hook.enabled || self.hook.managed;
        waits.then(|| (self.hook.event.clone(), audience))
    }

    pub(super) fn app(&self) -> Option<AppId> {
        match self.hook.targets {
            Targets::Containers { app, .. } => app,
            Targets::Once | Targets::All | Targets::These(_) => None,
        }
    }
}

/// Audience a hook waits for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Audience {
    /// The event, whatever it is about.
    Event,
    /// The containers of this application.
    App(AppId),
    /// Those of any application.
    AnyApp,
}

impl Indexed for BoundHook {
    fn id(&self) -> Uuid {
        self.hook.id.as_uuid()
    }

    fn number(&self) -> Number {
        self.hook.number
    }

    fn name(&self) -> Option<&str> {
        self.hook.name.as_deref()
    }

    fn created_at(&self) -> OffsetDateTime {
        self.hook.created_at
    }
}
