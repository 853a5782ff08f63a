//! What is left of an account's set-up that cannot be read from the store, and what stands
//! in for it.
//!
//! A row that was damaged must not grant more than it did while it was whole. A hook may be
//! what denies an event, so one that cannot be read is not left out like other nouns: it
//! fails. That is what happens to a hook whose program is missing or damaged: its execution
//! fails, and its failure policy decides what that means for the event. The policy of a hook
//! that cannot be read is the one that stands there, and the closed one if that cannot be
//! read either.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use tenterhook_engine::{AskedLimits, Digest, Kind};

use crate::id::{AppId, ExecutionId, HookId, Number};
use crate::registry::hook::{FailurePolicy, Hook};
use crate::registry::hook_point::HookPointName;
use crate::registry::recipe::{Recipe, RecipeContent};
use crate::runs::execution::HookRef;
use crate::runs::retry::RetryPolicy;
use crate::runs::work::NewExecution;

/// What runs in place of a hook that cannot be read: it reports that, and fails.
const STAND_IN: &str = "echo 'a hook cannot be read from the database, so it was not run; `tenterhook check-data` \
    names it' >&2\nexit 1\n";

/// Its name. One of a tenant may have the same; it has not the same content.
const NAME: &str = "unreadable-hook";

/// What of an account cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// Its hooks.
    pub hooks: Vec<DamagedHook>,
    /// How many of its servers.
    pub servers: usize,
    /// Its overrides: of which hook for which application, as far as that can be read.
    pub overrides: Vec<(Option<AppId>, Option<HookId>)>,
}

/// What can be read of a hook that cannot be read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedHook {
    /// Its identifier.
    pub id: Option<HookId>,
    /// Its number.
    pub number: Option<Number>,
    /// The event that it waits for; any event may be, if that cannot be read.
    pub event: Option<HookPointName>,
    /// What its failure means; closed, if that cannot be read.
    pub failure_policy: FailurePolicy,
}

impl DamagedHook {
    /// A hook that can be read, but not what it needs.
    pub(crate) fn of(hook: &Hook) -> Self {
        Self {
            id: Some(hook.id),
            number: Some(hook.number),
            event: Some(hook.event.clone()),
            failure_policy: hook.failure_policy,
        }
    }

    /// Whether it may be one that waits for an event.
    pub(crate) fn may_wait_for(&self, event: &HookPointName) -> bool {
        self.event.as_ref().is_none_or(|own| own.covers(event))
    }

    /// What it owes an event that it may wait for: to fail.
    pub(crate) fn execution(&self, lane: u32) -> NewExecution {
        let hook = self.id.zip(self.number);
        NewExecution {
            id: ExecutionId::generate(),
            hook: hook.map(|(id, number)| HookRef { id, number }),
            recipe: Arc::new(stand_in(self.failure_policy)),
            server: None,
            container: None,
            lane,
        }
    }
}

/// The program that executions of [`DamagedHook::execution`] need, if there are any.
pub(crate) fn program_for(executions: &[NewExecution]) -> Option<Bytes> {
    let is_stand_in = |one: &NewExecution| {
        let recipe = &one.recipe;
        recipe.content.name == NAME && recipe.digest == Digest::of(STAND_IN.as_bytes())
    };
    executions
        .iter()
        .any(is_stand_in)
        .then(|| Bytes::from_static(STAND_IN.as_bytes()))
}

fn stand_in(failure_policy: FailurePolicy) -> Recipe {
    let content = RecipeContent {
        kind: Kind::Script,
        name: NAME.into(),
        args: Vec::new(),
        env: BTreeMap::new(),
        limits: AskedLimits::default(),
        failure_policy,
        retry: RetryPolicy::default(),
    };
    Recipe::new(Digest::of(STAND_IN.as_bytes()), content)
}
