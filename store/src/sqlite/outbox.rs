//! Subscriptions to webhooks, and what they are owed.

use async_trait::async_trait;
use tenterhook_delivery::{Error, Letter, NewLetter, Outbox, Subscription, SubscriptionId};
use time::OffsetDateTime;

use super::Sqlite;

#[async_trait]
impl Outbox for Sqlite {
    async fn insert_subscription(&self, new: Subscription) -> Result<(), Error> {
        let _ = (new,);
        todo!()
    }

    async fn subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        todo!()
    }

    async fn switch_subscription(&self, id: SubscriptionId, enabled: bool) -> Result<(), Error> {
        let _ = (id, enabled);
        todo!()
    }

    async fn delete_subscription(&self, id: SubscriptionId) -> Result<(), Error> {
        let _ = (id,);
        todo!()
    }

    async fn insert_letters(&self, new: Vec<NewLetter>) -> Result<(), Error> {
        let _ = (new,);
        todo!()
    }

    async fn due(&self, now: OffsetDateTime, limit: u32) -> Result<Vec<(Letter, Vec<u8>)>, Error> {
        let _ = (now, limit);
        todo!()
    }

    async fn next_due(&self) -> Result<Option<OffsetDateTime>, Error> {
        todo!()
    }

    async fn settle_letter(&self, letter: Letter) -> Result<(), Error> {
        let _ = (letter,);
        todo!()
    }

    async fn letters(&self, of: SubscriptionId, limit: u32) -> Result<Vec<Letter>, Error> {
        let _ = (of, limit);
        todo!()
    }

    async fn forget_letters(&self, before: OffsetDateTime, limit: u32) -> Result<u64, Error> {
        let _ = (before, limit);
        todo!()
    }
}
