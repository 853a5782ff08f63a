//! What projects see and reply, and their constraints.
//!
//! In a session of the operator's account a project whose id is the id of another
//! account, with or without hyphens, is that account: it may speak for itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{AccountId, Noun};
use tenterhook_session::{GroupConstraint, InstanceConstraint, Inventory, Reply, Workflow};
use uuid::Uuid;

use super::{Maintenance, MaintenanceInner};
use crate::error::Error;
use crate::inventory;
use crate::live::LiveSession;
use crate::request::Stored;

/// Longest text in a constraint, in bytes.
const TEXT_MAX_BYTES: usize = 255;

impl Maintenance {
    /// Lists the instances of a project that a session currently concerns.
    ///
    /// `caller` is the session's account, or, where the session is the operator's, the
    /// account whose id is `project`.
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`], [`Error::NoProject`].
    pub async fn instances(
        &self,
        caller: AccountId,
        id: Uuid,
        project: &str,
    ) -> Result<Vec<String>, Error> {
        let (live, project) = self.inner.spoken_for(caller, id, project).await?;
        let inventory = self.inner.inventory_of(&live).await?;
        Ok(live
            .read(|session| session.instance_ids(&project, &inventory))
            .await)
    }

    /// Accepts a project's reply. It is stored when this returns. For `caller` see
    /// [`instances`](Self::instances).
    ///
    /// # Errors
    ///
    /// [`Error::NoSession`], [`Error::NoProject`], [`Error::NotTaken`], [`Error::Store`].
    pub async fn reply(
        &self,
        caller: AccountId,
        id: Uuid,
        project: &str,
        reply: Reply,
    ) -> Result<Stored, Error> {
        let (live, project) = self.inner.spoken_for(caller, id, project).await?;
        self.carry_out(async move |inner: Arc<MaintenanceInner>| {
            let inventory = inner.inventory_of(&live).await?;
            let now = inner.timepiece.now().wall;
            live.change(&*inner.store, |session| {
                Ok(session.reply(&project, reply, &inventory, now)?)
            })
            .await?;
            live.changed.notify_one();
            Ok(live.stored().await)
        })
        .await
    }

    /// Sets the constraint of an instance, replacing any previous one.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a text of more than 255 bytes, an empty id, and one
    /// beyond 20,000 of the account; [`Error::Store`].
    pub async fn put_instance_constraint(
        &self,
        account: AccountId,
        constraint: InstanceConstraint,
    ) -> Result<(), Error> {
        check_id("instance_id", &constraint.instance_id)?;
        check_text("project_id", &constraint.project_id)?;
        check_text("group_id", &constraint.group_id)?;
        check_text("instance_name", &constraint.instance_name)?;
        self.inner
            .store
            .put_instance_constraint(account, constraint)
            .await
    }

    /// Sets the constraint of a group, replacing any previous one.
    ///
    /// # Errors
    ///
    /// See [`put_instance_constraint`](Self::put_instance_constraint).
    pub async fn put_group_constraint(
        &self,
        account: AccountId,
        constraint: GroupConstraint,
    ) -> Result<(), Error> {
        check_id("group_id", &constraint.group_id)?;
        check_text("project_id", &constraint.project_id)?;
        check_text("group_name", &constraint.group_name)?;
        self.inner
            .store
            .put_group_constraint(account, constraint)
            .await
    }

    /// Deletes the constraint of an instance.
    ///
    /// # Errors
    ///
    /// [`Error::NoConstraint`], [`Error::Store`].
    pub async fn delete_instance_constraint(
        &self,
        account: AccountId,
        id: String,
    ) -> Result<(), Error> {
        self.inner
            .store
            .delete_instance_constraint(account, id)
            .await
    }

    /// Deletes the constraint of a group.
    ///
    /// # Errors
    ///
    /// [`Error::NoConstraint`], [`Error::Store`].
    pub async fn delete_group_constraint(
        &self,
        account: AccountId,
        id: String,
    ) -> Result<(), Error> {
        self.inner.store.delete_group_constraint(account, id).await
    }
}

impl MaintenanceInner {
    /// Finds a session with a project for which the caller may speak, and that
    /// project's name in the session.
    ///
    /// A session has a project before it asks it: all with instances on its hosts are its
    /// own from its creation on. So a project is known as soon as either is entered.
    async fn spoken_for(
        &self,
        caller: AccountId,
        id: Uuid,
        project: &str,
    ) -> Result<(Arc<LiveSession>, String), Error> {
        let live = self.sessions.read().get(&id).map(Arc::clone);
        let live = live.ok_or(Error::NoSession(id))?;
        if live.account == caller {
            let name = self.project_name(&live, project).await?;
            let name = name.ok_or_else(|| Error::NoProject(project.to_owned()))?;
            return Ok((live, name));
        }
        // To any other caller the session does not exist, unless the project is its own.
        if Uuid::parse_str(project) != Ok(caller.as_uuid())
            || self.tenant(live.account, project).await? != Some(caller)
        {
            return Err(Error::NoSession(id));
        }
        let name = self.project_name(&live, project).await?;
        Ok((live, name.ok_or(Error::NoSession(id))?))
    }

    /// Finds a project's name in a session: among those that it has asked, else among
    /// those that have instances on its hosts.
    async fn project_name(
        &self,
        live: &LiveSession,
        project: &str,
    ) -> Result<Option<String>, Error> {
        let asked = live
            .read(|session| find_name(session.projects().keys(), project))
            .await;
        if asked.is_some() {
            return Ok(asked);
        }
        let inventory = self.inventory_of(live).await?;
        let concerned = live
            .read(|session| session.concerned_projects(&inventory))
            .await;
        Ok(find_name(concerned.iter(), project))
    }

    /// The account that a project is; `None` unless the session is the operator's and
    /// the project another account.
    pub(crate) async fn tenant(
        &self,
        session_of: AccountId,
        project: &str,
    ) -> Result<Option<AccountId>, dispatch::Error> {
        let Ok(id) = Uuid::parse_str(project) else {
            return Ok(None);
        };
        let tenant = AccountId::from_uuid(id);
        if tenant == session_of
            || !self
                .dispatcher
                .accounts()
                .get(session_of)
                .await?
                .is_operator()
        {
            return Ok(None);
        }
        match self.dispatcher.accounts().get(tenant).await {
            Ok(_) => Ok(Some(tenant)),
            Err(dispatch::Error::NotFound {
                what: Noun::Account,
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns what a session sees: its account's servers as they are now, and the
    /// constraints of projects where its workflow honours them.
    pub(crate) async fn inventory(
        &self,
        account: AccountId,
        workflow: &Workflow,
    ) -> Result<Inventory, Error> {
        let mut inventory = inventory::of(self.dispatcher.servers().list(account).await?);
        if *workflow == Workflow::Default {
            return Ok(inventory);
        }
        let (instances, groups) = self.store.constraints(account).await?;
        for constraint in instances {
            inventory
                .instance_constraints
                .insert(constraint.instance_id.clone(), constraint);
        }
        for constraint in groups {
            inventory
                .group_constraints
                .insert(constraint.group_id.clone(), constraint);
        }
        let projects: BTreeSet<String> = inventory
            .instances
            .values()
            .filter_map(|instance| instance.project.clone())
            .collect();
        for project in projects {
            if let Some(tenant) = self.tenant(account, &project).await? {
                let constraints = self.store.constraints(tenant).await?;
                add_tenants(&mut inventory, &project, constraints);
            }
        }
        Ok(inventory)
    }

    async fn inventory_of(&self, live: &LiveSession) -> Result<Inventory, Error> {
        let workflow = live.read(|session| session.plan().workflow.clone()).await;
        self.inventory(live.account, &workflow).await
    }
}

/// Adds a tenant's constraints for what is its own. The operator's for the same take
/// precedence.
fn add_tenants(
    inventory: &mut Inventory,
    project: &str,
    (instances, groups): (Vec<InstanceConstraint>, Vec<GroupConstraint>),
) {
    let own =
        |instance: &tenterhook_session::Instance| instance.project.as_deref() == Some(project);
    let mut own_groups: BTreeSet<String> = BTreeSet::new();
    for constraint in instances {
        let id = constraint.instance_id.clone();
        if inventory.instances.get(&id).is_some_and(own) {
            own_groups.insert(constraint.group_id.clone());
            inventory
                .instance_constraints
                .entry(id)
                .or_insert(constraint);
        }
    }
    // A group is the tenant's if no other project has instances in it.
    for instance in inventory.instances.values().filter(|one| own(one)) {
        own_groups.extend(instance.group.clone());
    }
    for instance in inventory.instances.values().filter(|one| !own(one)) {
        if let Some(group) = &instance.group {
            own_groups.remove(group);
        }
    }
    for constraint in groups {
        if own_groups.contains(&constraint.group_id) {
            inventory
                .group_constraints
                .entry(constraint.group_id.clone())
                .or_insert(constraint);
        }
    }
}

/// Finds the name that stands for `project`: the same, or the only one that is the same id
/// with or without hyphens.
fn find_name<'a>(names: impl Iterator<Item = &'a String> + Clone, project: &str) -> Option<String> {
    let same = names.clone().find(|name| *name == project);
    let id = Uuid::parse_str(project).ok();
    same.or_else(|| {
        let id = id?;
        let mut same = names
            .into_iter()
            .filter(|name| Uuid::parse_str(name) == Ok(id));
        let one = same.next();
        one.filter(|_| same.next().is_none())
    })
    .cloned()
}

fn check_id(field: &str, id: &str) -> Result<(), Error> {
    if id.is_empty() {
        return Err(Error::Invalid {
            field: field.to_owned(),
            reason: "must not be empty".into(),
        });
    }
    check_text(field, id)
}

fn check_text(field: &str, text: &str) -> Result<(), Error> {
    if text.len() > TEXT_MAX_BYTES || text.chars().any(char::is_control) {
        return Err(Error::Invalid {
            field: field.to_owned(),
            reason: format!("must have at most {TEXT_MAX_BYTES} bytes and no control characters"),
        });
    }
    Ok(())
}
