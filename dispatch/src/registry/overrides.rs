//! Turning the operator's hooks on and off for single applications.

use std::sync::Arc;

use crate::clock::now;
use crate::dispatcher::Core;
use crate::error::Error;
use crate::id::{AccountId, AppId, Key, OverrideId};
use crate::page::ACCOUNT_MAX;
use crate::registry::hook_override::{HookOverride, NewOverride, OverrideChange};
use crate::registry::rules;

/// Overrides of hooks: see [`Dispatcher::overrides`](crate::Dispatcher::overrides).
#[derive(Clone, Copy)]
pub struct Overrides<'a> {
    pub(crate) core: &'a Arc<Core>,
}

impl Overrides<'_> {
    /// Creates an override.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the hook or the application; [`Error::Invalid`] for
    /// `hook` if the operator does not keep it; [`Error::NameTaken`] if there is
    /// one for the two already; [`Error::HooksDisabled`]; [`Error::Store`].
    pub async fn create(self, account: AccountId, new: NewOverride) -> Result<HookOverride, Error> {
        rules::label_list(&new.labels)?;
        self.core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                {
                    let directory = entry.directory.read();
                    directory.check_app_hooks()?;
                    directory.app(Key::Id(new.app))?;
                    if !directory.hook(Key::Id(new.hook))?.hook.managed {
                        return Err(Error::invalid(
                            "hook",
                            "must be one that the operator keeps",
                        ));
                    }
                    if directory.overrides().len() >= ACCOUNT_MAX as usize {
                        return Err(Error::invalid(
                            "hook",
                            "cannot be overridden: the account has 20000 overrides",
                        ));
                    }
                }
                let created_at = now();
                let made = HookOverride {
                    id: OverrideId::generate(),
                    app: new.app,
                    hook: new.hook,
                    enabled: new.enabled,
                    labels: new.labels,
                    created_by: new.created_by,
                    modified_by: None,
                    created_at,
                    modified_at: created_at,
                };
                core.store.insert_override(account, made.clone()).await?;
                entry.directory.write().put_override(made.clone());
                Ok(made)
            })
            .await
    }

    /// Changes an override.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::HooksDisabled`], [`Error::Store`].
    pub async fn change(
        self,
        account: AccountId,
        id: OverrideId,
        change: OverrideChange,
    ) -> Result<HookOverride, Error> {
        if let Some(labels) = &change.labels {
            rules::label_list(labels)?;
        }
        self.core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                let mut changed = {
                    let directory = entry.directory.read();
                    directory.check_app_hooks()?;
                    directory.override_of(id)?.clone()
                };
                changed.enabled = change.enabled.unwrap_or(changed.enabled);
                changed.labels = change.labels.unwrap_or(changed.labels);
                changed.modified_by = change.modified_by.or(changed.modified_by);
                changed.modified_at = now();
                core.store.update_override(account, changed.clone()).await?;
                entry.directory.write().put_override(changed.clone());
                Ok(changed)
            })
            .await
    }

    /// Removes an override: the hook's own switch holds again.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::HooksDisabled`], [`Error::Store`].
    pub async fn delete(self, account: AccountId, id: OverrideId) -> Result<(), Error> {
        self.core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                {
                    let directory = entry.directory.read();
                    directory.check_app_hooks()?;
                    directory.override_of(id)?;
                }
                core.store.delete_override(account, id).await?;
                entry.directory.write().remove_override(id);
                Ok(())
            })
            .await
    }

    /// Lists the overrides of an application, oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the application, [`Error::Store`].
    pub async fn list(self, account: AccountId, app: AppId) -> Result<Vec<HookOverride>, Error> {
        let entry = self.core.entry(account).await?;
        let directory = entry.directory.read();
        directory.app(Key::Id(app))?;
        let mut found: Vec<_> = directory
            .overrides()
            .filter(|other| other.app == app)
            .cloned()
            .collect();
        found.sort_unstable_by_key(|found| (found.created_at, found.id));
        Ok(found)
    }

    /// Finds an override.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn get(self, account: AccountId, id: OverrideId) -> Result<HookOverride, Error> {
        let entry = self.core.entry(account).await?;
        let directory = entry.directory.read();
        directory.override_of(id).cloned()
    }
}
