//! What a restart and a failing store leave of a session: everything, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use tenterhook_dispatch::AccountId;
use tenterhook_maintenance::{Error, SessionStore, Stored};
use tenterhook_session::{
    ActionType, GroupConstraint, InstanceConstraint, NewPlan, Session, State, Step,
};
use uuid::Uuid;

use crate::support::{Looks, Yard, action, new, plan};

async fn yard() -> Yard {
    let yard = Yard::new().await;
    for host in ["node-1", "node-2", "node-3"] {
        yard.host(host).await;
    }
    for (vm, host) in [("vm-1", "node-1"), ("vm-2", "node-2"), ("vm-3", "node-3")] {
        yard.instance(vm, host, "blue").await;
    }
    yard.source("fw", "echo \"$HOOK_PARAM_HOST\"\n").await;
    yard
}

fn with_plugin() -> NewPlan {
    NewPlan {
        actions: vec![
            action("fw", ActionType::Pre),
            action("fw", ActionType::Host),
        ],
        ..plan()
    }
}

/// Asserts that the plug-in has run once for each.
async fn ran_once_each(yard: &Yard) {
    let mut ran = yard.printed(yard.account, "fw").await;
    ran.sort();
    assert_eq!(ran, ["localhost\n", "node-1\n", "node-2\n", "node-3\n"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_resumes_where_it_was_after_every_restart() {
    let mut yard = yard().await;
    let id = yard.begin(with_plugin()).await;
    for state in [
        State::Maintenance,
        State::PrepareMaintenance,
        State::PlannedMaintenance,
        State::MaintenanceComplete,
    ] {
        let mut looks = Looks::default();
        while yard.session(id).await.session.state() != state {
            assert!(!yard.session(id).await.session.state().is_over());
            yard.answer_all(id).await;
            looks.rest().await;
        }
        yard = yard.restarted(|store| store).await;
        assert_eq!(yard.maintenance.sessions(yard.account), [id]);
    }
    assert_eq!(yard.play(id).await, State::MaintenanceDone);
    ran_once_each(&yard).await;
    let steps = yard.steps(id).await;
    let serials: Vec<_> = steps.iter().map(|step| step.serial).collect();
    assert!(serials.iter().copied().eq(1..=serials.len() as u64));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_again_and_again_neither_fails_a_session_nor_runs_anything_twice() {
    let yard = yard().await;
    let yard = yard
        .restarted(|inner| {
            Arc::new(Flaky {
                inner,
                calls: AtomicU32::new(0),
            })
        })
        .await;
    let mut created = yard
        .maintenance
        .create(yard.account, new(with_plugin()))
        .await;
    while created.is_err() {
        created = yard
            .maintenance
            .create(yard.account, new(with_plugin()))
            .await;
    }
    let id = created.unwrap().session.id();
    let mut looks = Looks::default();
    let state = loop {
        let stored = yard.session(id).await;
        if stored.session.state().is_over() {
            break stored.session.state();
        }
        yard.answer_all(id).await;
        looks.rest().await;
    };
    assert_eq!(state, State::MaintenanceDone);
    ran_once_each(&yard).await;
}

/// A store of which every third change fails, half of them after they were made.
struct Flaky {
    inner: Arc<dyn SessionStore>,
    calls: AtomicU32,
}

impl Flaky {
    async fn perhaps<T>(&self, change: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let fail = || Error::Store {
            doing: "write to the database",
            source: "the disk is full".into(),
        };
        match call % 6 {
            2 => Err(fail()),
            5 => {
                change.await?;
                Err(fail())
            }
            _ => change.await,
        }
    }
}

#[async_trait]
impl SessionStore for Flaky {
    async fn insert_session(
        &self,
        stored: Stored,
        steps: Vec<Step>,
        most: usize,
    ) -> Result<(), Error> {
        self.inner.insert_session(stored, steps, most).await
    }

    async fn update_session(
        &self,
        account: AccountId,
        session: Session,
        steps: Vec<Step>,
    ) -> Result<(), Error> {
        self.perhaps(self.inner.update_session(account, session, steps))
            .await
    }

    async fn sessions(&self) -> Result<Vec<Stored>, Error> {
        self.inner.sessions().await
    }

    async fn steps(&self, account: AccountId, session: Uuid) -> Result<Vec<Step>, Error> {
        self.inner.steps(account, session).await
    }

    async fn delete_session(&self, account: AccountId, session: Uuid) -> Result<(), Error> {
        self.inner.delete_session(account, session).await
    }

    async fn put_instance_constraint(
        &self,
        account: AccountId,
        constraint: InstanceConstraint,
    ) -> Result<(), Error> {
        self.inner
            .put_instance_constraint(account, constraint)
            .await
    }

    async fn put_group_constraint(
        &self,
        account: AccountId,
        constraint: GroupConstraint,
    ) -> Result<(), Error> {
        self.inner.put_group_constraint(account, constraint).await
    }

    async fn delete_instance_constraint(
        &self,
        account: AccountId,
        id: String,
    ) -> Result<(), Error> {
        self.inner.delete_instance_constraint(account, id).await
    }

    async fn delete_group_constraint(&self, account: AccountId, id: String) -> Result<(), Error> {
        self.inner.delete_group_constraint(account, id).await
    }

    async fn constraints(
        &self,
        account: AccountId,
    ) -> Result<(Vec<InstanceConstraint>, Vec<GroupConstraint>), Error> {
        self.inner.constraints(account).await
    }
}
