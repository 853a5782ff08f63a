//! Hooks of an account that cannot be run as they were set up, since they or what they
//! need cannot be read. They fail instead: see [`crate::registry::damaged`].

use super::Directory;
use crate::id::{HookId, Key};
use crate::registry::damaged::{DamagedHook, Unreadable};
use crate::registry::hook::{FailurePolicy, Hook, Targets};
use crate::registry::hook_point::HookPointName;
use crate::runs::work::NewExecution;

/// What cannot be run of an account's set-up.
#[derive(Default)]
pub(super) struct Damage {
    hooks: Vec<DamagedHook>,
    /// Servers that cannot be read.
    servers: usize,
    /// Whether an override cannot be read of which it is not known what it was about.
    is_override_lost: bool,
}

impl Damage {
    /// Whether a hook without an override may have had one that switched it on.
    pub(super) fn may_be_switched_on(&self) -> bool {
        self.is_override_lost
    }

    /// Forgets what was noted of a hook that is removed or replaced.
    pub(super) fn forget(&mut self, id: HookId) {
        self.hooks.retain(|hook| hook.id != Some(id));
    }
}

impl Directory {
    /// Notes whether a hook that can be read lacks what it needs: its source, one of its
    /// servers. Nothing that a hook names can be removed, so it is there and damaged.
    pub(super) fn note_damage_of(&mut self, hook: &Hook) {
        self.damage.forget(hook.id);
        let has_source = self.sources.by_id(hook.source.as_uuid()).is_some();
        let has_servers = match &hook.targets {
            Targets::These(servers) => servers.iter().all(|own| self.servers.contains_key(own)),
            // It runs on the others; what it would say on that one is not known.
            Targets::All => self.damage.servers == 0 || hook.failure_policy == FailurePolicy::Open,
            Targets::Once | Targets::Containers { .. } => true,
        };
        if (hook.enabled || hook.managed) && !(has_source && has_servers) {
            self.damage.hooks.push(DamagedHook::of(hook));
        }
    }

    /// Notes what cannot be read. An override that cannot be read counts as one that
    /// switches its hook on.
    pub(super) fn note_damage(&mut self, unreadable: Unreadable) {
        self.damage.hooks.extend(unreadable.hooks);
        self.damage.servers = unreadable.servers;
        for (app, hook) in unreadable.overrides {
            match app.zip(hook) {
                Some(both) => {
                    self.switches.insert(both, true);
                }
                None => self.damage.is_override_lost = true,
            }
        }
    }

    /// What damaged hooks owe an event, in lanes from this one on.
    pub(crate) fn due_by_damaged(
        &self,
        event: &HookPointName,
        first_lane: u32,
    ) -> Vec<NewExecution> {
        let waiting = self.damage.hooks.iter();
        let waiting = waiting.filter(|hook| hook.may_wait_for(event));
        (first_lane..)
            .zip(waiting)
            .map(|(lane, hook)| hook.execution(lane))
            .collect()
    }

    /// The identifier of a hook that cannot be read, so that it can be removed.
    pub(crate) fn damaged_hook(&self, key: Key<HookId>) -> Option<HookId> {
        let mut hooks = self.damage.hooks.iter();
        let found = hooks.find(|hook| match key {
            Key::Id(id) => hook.id == Some(id),
            Key::Number(number) => hook.number == Some(number),
        });
        found?.id
    }

    /// Whether a hook was deleted, and is not only one that cannot be read.
    pub(crate) fn is_deleted(&self, id: HookId) -> bool {
        let may_be = |hook: &DamagedHook| hook.id.is_none_or(|own| own == id);
        self.hook(Key::Id(id)).is_err() && !self.damage.hooks.iter().any(may_be)
    }

    /// Forgets a hook that could not be read and was removed.
    pub(crate) fn remove_damaged_hook(&mut self, id: HookId) {
        self.damage.forget(id);
    }
}
