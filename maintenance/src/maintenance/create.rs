//! Creating a session: what can be known to be wrong is refused before it begins.

use std::sync::Arc;

use tenterhook_dispatch::{AccountId, new_id};
use tenterhook_engine::json;
use tenterhook_session::{HostKind, Inventory, NewPlan, Plan, Session, Workflow};

use super::{Maintenance, MaintenanceInner};
use crate::error::Error;
use crate::request::{NewSession, Stored};

/// Most bytes of a plan in JSON. Its hints and packages travel in every event, of
/// which the largest has 256 KiB and holds some of it twice.
const PLAN_MAX_BYTES: usize = 64 * 1024;

impl Maintenance {
    /// Creates a session and starts it. It is stored when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] also for a workflow or plug-in that is not a source of the
    /// account and a host that is not in its inventory; [`Error::TooMany`];
    /// [`Error::HostTaken`]; [`Error::Store`].
    pub async fn create(&self, account: AccountId, new: NewSession) -> Result<Stored, Error> {
        let inner = &self.inner;
        let sent = new.plan.clone();
        let plan = new.plan.check().map_err(|invalid| Error::Invalid {
            field: invalid.field,
            reason: invalid.reason,
        })?;
        let inventory = inner.inventory(account, &plan.workflow).await?;
        check_size(&plan)?;
        check_hosts(&sent, &inventory)?;
        inner.check_sources(account, &sent, &plan).await?;

        let now = inner.timepiece.now().wall;
        let mut session = Session::new(new_id(), plan, &inventory, now);
        let steps = session.take_steps();
        let stored = Stored {
            account,
            session,
            created_by: new.created_by,
            base_url: new.base_url,
            created_at: now,
        };
        self.carry_out(async move |inner: Arc<MaintenanceInner>| {
            inner
                .store
                .insert_session(stored.clone(), steps, inner.settings.sessions)
                .await?;
            inner.load(stored.clone()).await;
            Ok(stored)
        })
        .await
    }
}

impl MaintenanceInner {
    /// Checks that the account has every source that the plan names.
    async fn check_sources(
        &self,
        account: AccountId,
        sent: &NewPlan,
        plan: &Plan,
    ) -> Result<(), Error> {
        if let Workflow::Source(name) = &plan.workflow
            && self.source(account, name).await?.is_none()
        {
            return Err(invalid(
                "workflow",
                "must be `default`, `vnf`, or the name of one of the account's sources",
            ));
        }
        for (i, action) in sent.actions.iter().enumerate() {
            if self.source(account, &action.plugin).await?.is_none() {
                return Err(invalid(
                    format!("actions[{i}].plugin"),
                    "must be the name of one of the account's sources",
                ));
            }
        }
        Ok(())
    }
}

/// Checks that the plan fits into the events of the session.
fn check_size(plan: &Plan) -> Result<(), Error> {
    let json = serde_json::to_string(plan).expect("a plan is always valid JSON");
    if json.len() > PLAN_MAX_BYTES {
        return Err(invalid(
            "metadata",
            format!(
                "and the rest of the session are longer than {PLAN_MAX_BYTES} bytes; \
                 send less metadata, downloads or actions"
            ),
        ));
    }
    // In the event that asks a workflow, the plan is a member.
    if json::is_deeper(&json, json::MAX_DEPTH - 1) {
        return Err(invalid(
            "metadata",
            format!(
                "must not be nested so deeply that an event has more than {} levels",
                json::MAX_DEPTH
            ),
        ));
    }
    Ok(())
}

/// Checks that the hosts are hosts, and that there is one.
fn check_hosts(sent: &NewPlan, inventory: &Inventory) -> Result<(), Error> {
    for (i, host) in sent.hosts.iter().enumerate() {
        if !inventory.hosts.contains_key(host) {
            return Err(invalid(
                format!("hosts[{i}]"),
                "must be the name of a server of the account that has no host itself",
            ));
        }
    }
    let any = inventory
        .hosts
        .values()
        .any(|host| host.kind == HostKind::Compute);
    if sent.hosts.is_empty() && !any {
        return Err(invalid(
            "hosts",
            "is empty, and the account has no compute host; enter servers without a host first",
        ));
    }
    Ok(())
}

fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Error {
    Error::Invalid {
        field: field.into(),
        reason: reason.into(),
    }
}
