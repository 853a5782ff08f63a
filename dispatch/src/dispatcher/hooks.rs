//! Making, changing and removing hooks.

pub(super) mod check;

use std::sync::Arc;

use self::check::{changed, check_criteria, values_by};
use super::audit::ConfigChange;
use super::{Dispatcher, Inner};
use crate::disk::size;
use crate::error::Error;
use crate::hook::{Hook, HookChange, NewHook};
use crate::id::{AccountId, HookId, Key};

impl Dispatcher {
    /// Binds a source to a hook point.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the source, the hook point, a server or the
    /// application; [`Error::Invalid`]; [`Error::NameTaken`]; [`Error::NotReplicated`];
    /// [`Error::HooksDisabled`] on Astra's hook points; [`Error::OverCeiling`];
    /// [`Error::DiskFull`]; [`Error::Store`].
    pub async fn create_hook(&self, account: AccountId, new: NewHook) -> Result<Hook, Error> {
        check_criteria(std::iter::once(new.targets.as_ref())).await?;
        let hook = self
            .carry_out(async move |inner: Arc<Inner>| {
                let entry = inner.entry(account).await?;
                let _changing = entry.changing.lock().await;
                let hook = {
                    let directory = entry.directory.read();
                    let source = directory.source(new.source)?.id;
                    inner.check_hook(&directory, source, new, None)?
                };
                let reserved = inner.disk.reserve(account, size::of_hook(&hook))?;
                let hook = inner.store.insert_hook(account, hook).await?;
                inner.disk.written(account, reserved);
                entry.directory.write().put_hook(hook.clone());
                Ok(hook)
            })
            .await?;
        self.hook_changed(account, &hook, "created").await;
        Ok(hook)
    }

    /// Changes a hook. What was accepted before runs as it was then.
    ///
    /// # Errors
    ///
    /// Those of [`create_hook`](Self::create_hook), [`Error::NotFound`] for the hook, and
    /// [`Error::ForeignValues`] as [`Hook::check_program_change`] says.
    pub async fn change_hook(
        &self,
        account: AccountId,
        key: Key<HookId>,
        change: HookChange,
    ) -> Result<Hook, Error> {
        check_criteria(std::iter::once(change.targets.as_ref())).await?;
        let hook = self
            .carry_out(async move |inner: Arc<Inner>| {
                let entry = inner.entry(account).await?;
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
                        ..inner.check_hook(&directory, source, new, Some(old))?
                    };
                    if hook.source != old.source {
                        hook.check_program_change(caller, role)?;
                    }
                    (size::of_hook(old), hook)
                };
                let after = size::of_hook(&hook);
                let reserved = inner.disk.reserve_growth(account, before, after)?;
                inner.store.update_hook(account, hook.clone()).await?;
                inner.disk.written(account, reserved);
                entry.directory.write().put_hook(hook.clone());
                Ok(hook)
            })
            .await?;
        self.hook_changed(account, &hook, "changed").await;
        Ok(hook)
    }

    /// Removes a hook. What was accepted before still runs.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn delete_hook(&self, account: AccountId, key: Key<HookId>) -> Result<(), Error> {
        let hook = self
            .carry_out(async move |inner: Arc<Inner>| {
                let entry = inner.entry(account).await?;
                let _changing = entry.changing.lock().await;
                let found = {
                    let directory = entry.directory.read();
                    match directory.hook(key) {
                        Ok(bound) => Ok(bound.hook.clone()),
                        Err(error) => Err(directory.damaged_hook(key).ok_or(error)?),
                    }
                };
                match found {
                    Ok(hook) => {
                        inner.store.delete_hook(account, hook.id).await?;
                        entry.directory.write().remove_hook(hook.number);
                        Ok(Some(hook))
                    }
                    // Nothing more can be told of it than that it is gone.
                    Err(damaged) => {
                        inner.store.delete_hook(account, damaged).await?;
                        entry.directory.write().remove_damaged_hook(damaged);
                        Ok(None)
                    }
                }
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
    pub async fn hooks(&self, account: AccountId) -> Result<Vec<Hook>, Error> {
        let entry = self.inner.entry(account).await?;
        let directory = entry.directory.read();
        Ok(directory.hooks().map(|bound| bound.hook.clone()).collect())
    }

    /// Finds a hook.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn hook(&self, account: AccountId, key: Key<HookId>) -> Result<Hook, Error> {
        let entry = self.inner.entry(account).await?;
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
        self.config_changed(account, change).await;
    }
}
