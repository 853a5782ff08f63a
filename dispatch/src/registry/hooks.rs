//! Making, changing and removing hooks.

pub(crate) mod check;

use std::sync::Arc;

use self::check::{changed, check_criteria, values_by};
use crate::disk::size;
use crate::dispatcher::Core;
use crate::error::Error;
use crate::id::AppId;
use crate::id::{AccountId, HookId, Key};
use crate::registry::hook::{Hook, HookChange, NewHook};
use crate::registry::lookup::Lookup;
use crate::tenancy::audit_events::ConfigChange;

/// Hooks: see [`Dispatcher::hooks`](crate::Dispatcher::hooks).
#[derive(Clone, Copy)]
pub struct Hooks<'a> {
    pub(crate) core: &'a Arc<Core>,
}

impl Hooks<'_> {
    /// Binds a source to a hook point.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the source, the hook point, a server or the
    /// application; [`Error::Invalid`]; [`Error::NameTaken`]; [`Error::NotReplicated`];
    /// [`Error::HooksDisabled`] on Astra's hook points; [`Error::OverCeiling`];
    /// [`Error::DiskFull`]; [`Error::Store`].
    pub async fn create(self, account: AccountId, new: NewHook) -> Result<Hook, Error> {
        check_criteria(std::iter::once(new.targets.as_ref())).await?;
        let hook = self
            .core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                let hook = {
                    let directory = entry.directory.read();
                    let source = directory.source(new.source)?.id;
                    core.check_hook(&directory, source, new, None)?
                };
                let reserved = core.disk.reserve(account, size::of_hook(&hook))?;
                let hook = core.store.insert_hook(account, hook).await?;
                core.disk.written(account, reserved);
                entry.directory.write().put_hook(hook.clone());
                Ok(hook)
            })
            .await?;
        self.hook_changed(account, &hook, "created").await;
        Ok(hook)
    }

    /// Changes a hook. What was accepted before runs as it was then, also if the hook is
    /// switched off: that is for events to come.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create), [`Error::NotFound`] for the hook, and
    /// [`Error::ForeignValues`] as [`Hook::check_program_change`] says.
    pub async fn change(
        self,
        account: AccountId,
        key: Key<HookId>,
        change: HookChange,
    ) -> Result<Hook, Error> {
        check_criteria(std::iter::once(change.targets.as_ref())).await?;
        let hook = self
            .core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                let (before, hook) = {
                    let directory = entry.directory.read();
                    let old = &directory.hook(key)?.hook;
                    let (caller, role) = (change.modified_by, change.modified_as);
                    let values_by = values_by(old, &change);
                    let new = changed(old, change);
                    let source = directory.source(new.source)?.id;
                    let hook = Hook {
                        id: old.id,
                        number: old.number,
                        created_by: old.created_by,
                        modified_by: caller.or(old.modified_by),
                        values_by,
                        created_at: old.created_at,
                        ..core.check_hook(&directory, source, new, Some(old))?
                    };
                    if hook.source != old.source {
                        hook.check_program_change(caller, role)?;
                    }
                    (size::of_hook(old), hook)
                };
                let after = size::of_hook(&hook);
                let reserved = core.disk.reserve_growth(account, before, after)?;
                core.store.update_hook(account, hook.clone()).await?;
                core.disk.written(account, reserved);
                entry.directory.write().put_hook(hook.clone());
                Ok(hook)
            })
            .await?;
        self.hook_changed(account, &hook, "changed").await;
        Ok(hook)
    }

    /// Removes a hook, and cancels what waits of it, retries included. What runs may end,
    /// and is not tried again.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn delete(self, account: AccountId, key: Key<HookId>) -> Result<(), Error> {
        let hook = self
            .core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let changing = entry.changing.lock().await;
                let found = {
                    let directory = entry.directory.read();
                    match directory.hook(key) {
                        Ok(bound) => Ok(bound.hook.clone()),
                        Err(error) => Err(directory.damaged_hook(key).ok_or(error)?),
                    }
                };
                let (id, hook) = match found {
                    Ok(hook) => {
                        core.store.delete_hook(account, hook.id).await?;
                        entry.directory.write().remove_hook(hook.number);
                        (hook.id, Some(hook))
                    }
                    // Nothing more can be reported of it than that it is gone.
                    Err(damaged) => {
                        core.store.delete_hook(account, damaged).await?;
                        entry.directory.write().remove_damaged_hook(damaged);
                        (damaged, None)
                    }
                };
                drop(changing);
                core.cancel_of_hook(account, id).await;
                Ok(hook)
            })
            .await?;
        if let Some(hook) = hook {
            self.hook_changed(account, &hook, "deleted").await;
        }
        Ok(())
    }

    /// Lists the hooks of an account by number.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn list(self, account: AccountId) -> Result<Vec<Hook>, Error> {
        let entry = self.core.entry(account).await?;
        let directory = entry.directory.read();
        Ok(directory.hooks().map(|bound| bound.hook.clone()).collect())
    }

    /// Finds a hook.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn get(self, account: AccountId, key: Key<HookId>) -> Result<Hook, Error> {
        let entry = self.core.entry(account).await?;
        let directory = entry.directory.read();
        directory.hook(key).map(|bound| bound.hook.clone())
    }

    async fn hook_changed(&self, account: AccountId, hook: &Hook, operation: &'static str) {
        let change = ConfigChange {
            object: "hook",
            number: hook.number,
            name: hook.event.to_string(),
            operation,
            server: None,
        };
        self.core.config_changed(account, change).await;
    }

    /// Finds up to `limit` of those hooks, all or those of one application, that
    /// `lookup` names and `keep` wants, oldest first, those of one instant by id.
    ///
    /// Hooks without a name are never found by one.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the account or the application, [`Error::Store`].
    pub async fn find(
        self,
        account: AccountId,
        app: Option<AppId>,
        lookup: &Lookup,
        limit: Option<usize>,
        keep: impl Fn(&Hook) -> bool + Send,
    ) -> Result<Vec<Hook>, Error> {
        let entry = self.core.entry(account).await?;
        let directory = entry.directory.read();
        if let Some(app) = app {
            directory.app(Key::Id(app))?;
        }
        let found = directory.find_hooks(app, lookup);
        Ok(found
            .map(|bound| &bound.hook)
            .filter(|hook| keep(hook))
            .take(limit.unwrap_or(usize::MAX))
            .cloned()
            .collect())
    }
}
