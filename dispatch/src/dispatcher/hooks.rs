//! Making, changing and removing hooks.

use std::sync::Arc;

use tenterhook_engine::AskedLimits;

use super::audit::ConfigChange;
use super::{Dispatcher, Inner};
use crate::clock::now;
use crate::directory::Directory;
use crate::error::Error;
use crate::hook::{Hook, HookChange, NewHook, Targets};
use crate::hook_point::HookPointName;
use crate::id::{AccountId, HookId, Key, Number, SourceId};
use crate::page::ACCOUNT_MAX;
use crate::rules;

impl Dispatcher {
    /// Binds a source to a hook point.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the source, the hook point or a server;
    /// [`Error::Invalid`]; [`Error::OverCeiling`]; [`Error::Store`].
    pub async fn create_hook(&self, account: AccountId, new: NewHook) -> Result<Hook, Error> {
        let hook = self
            .carry_out(async move |inner: Arc<Inner>| {
                let entry = inner.directories.of(&*inner.store, account).await?;
                let _changing = entry.changing.lock().await;
                let hook = {
                    let directory = entry.directory.read();
                    let source = directory.source(new.source)?.id;
                    inner.check_hook(&directory, source, new)?
                };
                let hook = inner.store.insert_hook(account, hook).await?;
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
    /// Those of [`create_hook`](Self::create_hook), and [`Error::NotFound`] for the hook.
    pub async fn change_hook(
        &self,
        account: AccountId,
        key: Key<HookId>,
        change: HookChange,
    ) -> Result<Hook, Error> {
        let hook = self
            .carry_out(async move |inner: Arc<Inner>| {
                let entry = inner.directories.of(&*inner.store, account).await?;
                let _changing = entry.changing.lock().await;
                let hook = {
                    let directory = entry.directory.read();
                    let old = &directory.hook(key)?.hook;
                    let new = changed(old, change);
                    let source = directory.source(new.source)?.id;
                    Hook {
                        id: old.id,
                        number: old.number,
                        created_at: old.created_at,
                        ..inner.check_hook(&directory, source, new)?
                    }
                };
                inner.store.update_hook(account, hook.clone()).await?;
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
                let entry = inner.directories.of(&*inner.store, account).await?;
                let _changing = entry.changing.lock().await;
                let hook = entry.directory.read().hook(key)?.hook.clone();
                inner.store.delete_hook(account, hook.id).await?;
                entry.directory.write().remove_hook(hook.number);
                Ok(hook)
            })
            .await?;
        self.hook_changed(account, &hook, "deleted").await;
        Ok(())
    }

    /// Lists the hooks of an account by number.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn hooks(&self, account: AccountId) -> Result<Vec<Hook>, Error> {
        let entry = self
            .inner
            .directories
            .of(&*self.inner.store, account)
            .await?;
        let directory = entry.directory.read();
        Ok(directory.hooks().map(|bound| bound.hook.clone()).collect())
    }

    /// Finds a hook.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn hook(&self, account: AccountId, key: Key<HookId>) -> Result<Hook, Error> {
        let entry = self
            .inner
            .directories
            .of(&*self.inner.store, account)
            .await?;
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

impl Inner {
    /// Checks a hook to be made, and fills in what it leaves out.
    pub(super) fn check_hook(
        &self,
        directory: &Directory,
        source: SourceId,
        new: NewHook,
    ) -> Result<Hook, Error> {
        if directory.hooks().len() >= ACCOUNT_MAX as usize {
            return Err(Error::invalid(
                "event",
                "cannot have one more hook: the account has 20000",
            ));
        }
        let event = HookPointName::parse(&new.event)?;
        rules::args(&new.args)?;
        rules::env(&new.env)?;
        new.retry.check()?;
        self.check_limits(&new.limits)?;
        Ok(Hook {
            id: HookId::generate(),
            number: Number::UNASSIGNED,
            source,
            targets: targets(directory, &event, new.targets)?,
            args: new.args,
            env: new.env,
            limits: new.limits,
            order: new.order,
            enabled: new.enabled.unwrap_or(true),
            failure_policy: new
                .failure_policy
                .unwrap_or_else(|| event.default_failure_policy()),
            retry: new.retry,
            event,
            created_at: now(),
            modified_at: now(),
        })
    }

    /// Checks that limits are within what the operator allows.
    pub(super) fn check_limits(&self, limits: &AskedLimits) -> Result<(), Error> {
        limits.resolve(&self.settings.default_limits, &self.settings.ceiling)?;
        Ok(())
    }
}

/// The targets that a hook has in the end, in one form: sorted, each once.
fn targets(
    directory: &Directory,
    event: &HookPointName,
    asked: Option<Targets>,
) -> Result<Targets, Error> {
    if !event.can_choose_server() {
        return Ok(Targets::Once);
    }
    match asked {
        None if event.point().is_some() => Ok(Targets::All),
        None => Ok(Targets::Once),
        Some(Targets::These(mut servers)) => {
            servers.sort_unstable();
            servers.dedup();
            for server in &servers {
                directory.server(Key::Number(*server))?;
            }
            Ok(Targets::These(servers))
        }
        Some(targets) => Ok(targets),
    }
}

/// The hook that `change` makes of `old`, as if it were made new.
///
/// A hook that moves to another event has that event's defaults, unless it says otherwise.
fn changed(old: &Hook, change: HookChange) -> NewHook {
    let moves = change
        .event
        .as_ref()
        .is_some_and(|event| event != old.event.as_str());
    let kept =
        |targets: &Targets| (!moves || old.event.can_choose_server()).then(|| targets.clone());
    NewHook {
        source: change.source.unwrap_or(Key::Id(old.source)),
        event: change.event.unwrap_or_else(|| old.event.to_string()),
        targets: change.targets.or_else(|| kept(&old.targets)),
        args: change.args.unwrap_or_else(|| old.args.clone()),
        env: change.env.unwrap_or_else(|| old.env.clone()),
        limits: change.limits.unwrap_or_else(|| old.limits.clone()),
        order: change.order.unwrap_or(old.order),
        enabled: change.enabled.or(Some(old.enabled)),
        failure_policy: change
            .failure_policy
            .or_else(|| (!moves).then_some(old.failure_policy)),
        retry: change.retry.unwrap_or_else(|| old.retry.clone()),
    }
}
