//! Finding some of many sources or hooks, at the price of what is found.

use std::sync::Arc;

use super::{Dispatcher, aside};
use crate::app::{App, Container};
use crate::directory::Bound;
use crate::error::Error;
use crate::hook::{Hook, Targets};
use crate::id::{AccountId, AppId, HookId, Key};
use crate::lookup::Lookup;
use crate::source::Source;

impl Dispatcher {
    /// Finds up to `limit` of those sources that `lookup` names and `keep` wants,
    /// oldest first, those of one instant by id.
    ///
    /// Costs what the look-up finds before the limit is reached, not what there is.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the account, [`Error::Store`].
    pub async fn find_sources(
        &self,
        account: AccountId,
        lookup: &Lookup,
        limit: Option<usize>,
        keep: impl Fn(&Source) -> bool + Send,
    ) -> Result<Vec<Source>, Error> {
        let entry = self.inner.entry(account).await?;
        let directory = entry.directory.read();
        let found = directory.find_sources(lookup);
        Ok(found
            .filter(|source| keep(source))
            .take(limit.unwrap_or(usize::MAX))
            .cloned()
            .collect())
    }

    /// Finds up to `limit` of those hooks, all or those of one application, that
    /// `lookup` names and `keep` wants, oldest first, those of one instant by id.
    ///
    /// Hooks without a name are never found by one.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for the account or the application, [`Error::Store`].
    pub async fn find_hooks(
        &self,
        account: AccountId,
        app: Option<AppId>,
        lookup: &Lookup,
        limit: Option<usize>,
        keep: impl Fn(&Hook) -> bool + Send,
    ) -> Result<Vec<Hook>, Error> {
        let entry = self.inner.entry(account).await?;
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

    /// Lists the containers that a hook would run for now: those of its
    /// application, or of all that it is not turned off for if it has none.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn matching_containers(
        &self,
        account: AccountId,
        id: HookId,
    ) -> Result<Vec<Container>, Error> {
        let entry = self.inner.entry(account).await?;
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
        aside(move || matching(&bound, &apps)).await
    }
}

fn matching(bound: &Bound, apps: &[Arc<App>]) -> Vec<Container> {
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
