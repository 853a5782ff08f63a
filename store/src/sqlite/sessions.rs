//! Maintenance sessions, their steps, and what projects demand.

use async_trait::async_trait;
use tenterhook_dispatch::AccountId;
use tenterhook_maintenance::{Error, SessionStore, Stored};
use tenterhook_workflow::{GroupConstraint, InstanceConstraint, Session, Step};
use uuid::Uuid;

use super::Sqlite;

#[async_trait]
impl SessionStore for Sqlite {
    async fn insert_session(
        &self,
        stored: Stored,
        steps: Vec<Step>,
        most: usize,
    ) -> Result<(), Error> {
        let _ = (stored, steps, most);
        todo!()
    }

    async fn update_session(
        &self,
        account: AccountId,
        session: Session,
        steps: Vec<Step>,
    ) -> Result<(), Error> {
        let _ = (account, session, steps);
        todo!()
    }

    async fn sessions(&self) -> Result<Vec<Stored>, Error> {
        todo!()
    }

    async fn steps(&self, account: AccountId, session: Uuid) -> Result<Vec<Step>, Error> {
        let _ = (account, session);
        todo!()
    }

    async fn delete_session(&self, account: AccountId, session: Uuid) -> Result<(), Error> {
        let _ = (account, session);
        todo!()
    }

    async fn put_instance_constraint(
        &self,
        account: AccountId,
        constraint: InstanceConstraint,
    ) -> Result<(), Error> {
        let _ = (account, constraint);
        todo!()
    }

    async fn put_group_constraint(
        &self,
        account: AccountId,
        constraint: GroupConstraint,
    ) -> Result<(), Error> {
        let _ = (account, constraint);
        todo!()
    }

    async fn delete_instance_constraint(
        &self,
        account: AccountId,
        id: String,
    ) -> Result<(), Error> {
        let _ = (account, id);
        todo!()
    }

    async fn delete_group_constraint(&self, account: AccountId, id: String) -> Result<(), Error> {
        let _ = (account, id);
        todo!()
    }

    async fn constraints(
        &self,
        account: AccountId,
    ) -> Result<(Vec<InstanceConstraint>, Vec<GroupConstraint>), Error> {
        let _ = (account,);
        todo!()
    }
}
