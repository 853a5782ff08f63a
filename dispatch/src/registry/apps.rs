//! Entering, changing and removing applications.

use std::sync::Arc;

use crate::clock::now;
use crate::disk::size;
use crate::dispatcher::Core;
use crate::dispatcher::spawn_blocking;
use crate::error::{Error, Noun};
use crate::id::{AccountId, AppId, HookId, Key, Number};
use crate::page::ACCOUNT_MAX;
use crate::registry::app::{App, AppChange, Container, NewApp};
use crate::registry::directory::BoundHook;
use crate::registry::directory::Directory;
use crate::registry::hook::Targets;
use crate::tenancy::audit_events::ConfigChange;

/// Applications: see [`Dispatcher::apps`](crate::Dispatcher::apps).
#[derive(Clone, Copy)]
pub struct Apps<'a> {
    pub(crate) core: &'a Arc<Core>,
}

impl Apps<'_> {
    /// Enters an application.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`]; [`Error::NameTaken`] for its name or id;
    /// [`Error::NotFound`] for the account; [`Error::DiskFull`]; [`Error::Store`].
    pub async fn create(self, account: AccountId, new: NewApp) -> Result<App, Error> {
        let created_at = now();
        let app = App {
            id: new.id.unwrap_or_else(AppId::generate),
            number: Number::UNASSIGNED,
            name: new.name,
            replicated: new.replicated,
            containers: new.containers,
            created_at,
            modified_at: created_at,
        };
        app.check()?;
        let app = self
            .core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                {
                    let directory = entry.directory.read();
                    check_room(&directory, &app)?;
                    directory.check_app_name(&Arc::new(app.clone()))?;
                }
                let reserved = core.disk.reserve(account, size::of_app(&app))?;
                let app = core.store.insert_app(account, app).await?;
                core.disk.written(account, reserved);
                entry.directory.write().put_app(app.clone());
                Ok(app)
            })
            .await?;
        self.app_changed(account, &app, "created").await;
        Ok(app)
    }

    /// Changes an application. Executions that were accepted before keep to the
    /// containers that it had then.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Invalid`], [`Error::NameTaken`], [`Error::DiskFull`],
    /// [`Error::Store`].
    pub async fn change(
        self,
        account: AccountId,
        key: Key<AppId>,
        change: AppChange,
    ) -> Result<App, Error> {
        let app = self
            .core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                let old = Arc::clone(entry.directory.read().app(key)?);
                let app = App {
                    id: old.id,
                    number: old.number,
                    name: change.name.unwrap_or_else(|| old.name.clone()),
                    replicated: change.replicated.unwrap_or(old.replicated),
                    containers: change.containers.unwrap_or_else(|| old.containers.clone()),
                    created_at: old.created_at,
                    modified_at: now(),
                };
                app.check()?;
                {
                    let directory = entry.directory.read();
                    check_room(&directory, &app)?;
                    if app.name != old.name {
                        directory.check_app_name(&Arc::new(app.clone()))?;
                    }
                }
                let (before, after) = (size::of_app(&old), size::of_app(&app));
                let reserved = core.disk.reserve_growth(account, before, after)?;
                core.store.update_app(account, app.clone()).await?;
                core.disk.written(account, reserved);
                entry.directory.write().put_app(app.clone());
                Ok(app)
            })
            .await?;
        self.app_changed(account, &app, "changed").await;
        Ok(app)
    }

    /// Removes an application with its overrides.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::InUse`] by hooks of it, [`Error::Store`].
    pub async fn delete(self, account: AccountId, key: Key<AppId>) -> Result<(), Error> {
        let app = self
            .core
            .carry_out(async move |core: Arc<Core>| {
                let entry = core.entry(account).await?;
                let _changing = entry.changing.lock().await;
                let app = {
                    let directory = entry.directory.read();
                    let app = Arc::clone(directory.app(key)?);
                    let mut by: Vec<_> = directory
                        .hooks_of_app(app.id)
                        .map(|bound| bound.hook.number)
                        .collect();
                    by.sort_unstable();
                    if !by.is_empty() {
                        return Err(Error::InUse {
                            what: Noun::App,
                            id: key.to_string(),
                            by,
                        });
                    }
                    app
                };
                core.store.delete_app(account, app.id).await?;
                entry.directory.write().remove_app(app.number);
                Ok(app)
            })
            .await?;
        self.app_changed(account, &app, "deleted").await;
        Ok(())
    }

    /// Lists the applications of an account by number.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the account, [`Error::Store`].
    pub async fn list(self, account: AccountId) -> Result<Vec<App>, Error> {
        let entry = self.core.entry(account).await?;
        let directory = entry.directory.read();
        Ok(directory.apps().map(|app| App::clone(app)).collect())
    }

    /// Finds an application.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn get(self, account: AccountId, key: Key<AppId>) -> Result<App, Error> {
        let entry = self.core.entry(account).await?;
        let directory = entry.directory.read();
        directory.app(key).map(|app| App::clone(app))
    }

    async fn app_changed(&self, account: AccountId, app: &App, operation: &'static str) {
        let change = ConfigChange {
            object: "app",
            number: app.number,
            name: app.name.clone(),
            operation,
            server: None,
        };
        self.core.config_changed(account, change).await;
    }

    /// Lists the containers that a hook would run for now: those of its
    /// application, or of all that it is not turned off for if it has none.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn matching_containers(
        self,
        account: AccountId,
        id: HookId,
    ) -> Result<Vec<Container>, Error> {
        let entry = self.core.entry(account).await?;
        let (bound, apps) = {
            let directory = entry.directory.read();
            let bound = Arc::clone(directory.hook(Key::Id(id))?);
            let apps: Vec<Arc<App>> = match bound.hook.targets {
                Targets::Containers { app: Some(app), .. } => {
                    vec![Arc::clone(directory.app(Key::Id(app))?)]
                }
                Targets::Containers { app: None, .. } => directory
                    .apps()
                    .filter(|app| directory.override_for(app.id, id) != Some(false))
                    .map(Arc::clone)
                    .collect(),
                Targets::Once | Targets::All | Targets::These(_) => Vec::new(),
            };
            (bound, apps)
        };
        spawn_blocking(move || matching(&bound, &apps)).await
    }
}

/// Checks that the account has room for an application in its new form.
fn check_room(directory: &Directory, app: &App) -> Result<(), Error> {
    let others = || directory.apps().filter(|other| other.id != app.id);
    if others().count() >= ACCOUNT_MAX as usize {
        return Err(Error::invalid(
            "name",
            "cannot be entered: the account has 20000 apps",
        ));
    }
    let containers: usize = others().map(|other| other.containers.len()).sum();
    if containers + app.containers.len() > ACCOUNT_MAX as usize {
        return Err(Error::invalid(
            "containers",
            "cannot be entered: the account's apps would have more than 20000",
        ));
    }
    Ok(())
}

fn matching(bound: &BoundHook, apps: &[Arc<App>]) -> Vec<Container> {
    apps.iter()
        .flat_map(|app| {
            let places = bound.places_in(app);
            places
                .iter()
                .map(|place| app.containers[*place].clone())
                .collect::<Vec<_>>()
        })
        .collect()
}
