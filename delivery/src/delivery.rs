//! Taking notifications over, and who is to be told of them.

use std::sync::Arc;

use tenterhook_ledger::Ledger;
use tenterhook_sdk::Event;
use uuid::Uuid;

use crate::error::Error;
use crate::kind;
use crate::letter::{self, Letter};
use crate::office::Office;
use crate::outbox::{NewLetter, Outbox, Room};
use crate::settings::Settings;
use crate::subscription::{NewSubscription, Subscription, SubscriptionId};
use crate::surroundings::Surroundings;
use crate::sweep;
use crate::tally::Counts;

/// Most subscriptions of an account: each may cause an attempt for every event.
pub const SUBSCRIPTIONS_MAX: usize = 100;

/// What a letter takes on the disk beside its contents: what stores charge, and some more.
const LETTER_BYTES: u64 = 640;

/// Takes notifications over and sends them. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Delivery {
    office: Arc<Office>,
}

impl Delivery {
    /// Reads the subscriptions and begins to send what is due, as many at one time as
    /// the ledger has of [`Resource::Deliveries`](tenterhook_ledger::Resource::Deliveries).
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn start(
        outbox: Arc<dyn Outbox>,
        settings: Settings,
        ledger: Ledger,
    ) -> Result<Self, Error> {
        Self::start_with(outbox, settings, Surroundings::alone(ledger)).await
    }

    /// The same, as a part of a server with which it shares the time and the disk too.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn start_with(
        outbox: Arc<dyn Outbox>,
        settings: Settings,
        surroundings: Surroundings,
    ) -> Result<Self, Error> {
        // The clock may have been set back since they were stored.
        let now = surroundings.timepiece.now_for_waits().wall;
        outbox.shorten_delivery_waits(now).await?;
        let subscriptions = outbox.subscriptions().await?;
        let office = Office::new(outbox, settings, surroundings, subscriptions.clone());
        let office = Arc::new(office);
        for own in subscriptions.into_iter().filter(|own| own.enabled) {
            office.open_lane(own);
        }
        office.tasks.spawn(sweep::run(Arc::clone(&office)));
        Ok(Self { office })
    }

    /// Makes a subscription.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`], [`Error::TooMany`], [`Error::Store`].
    pub async fn subscribe(
        &self,
        account: Uuid,
        new: NewSubscription,
    ) -> Result<Subscription, Error> {
        let checked = new.check()?;
        let office = &self.office;
        let _changing = office.changing.lock().await;
        if self.subscriptions(account).len() >= SUBSCRIPTIONS_MAX {
            return Err(Error::TooMany(SUBSCRIPTIONS_MAX));
        }
        let own = Subscription {
            id: SubscriptionId(tenterhook_clock::new_id()),
            account,
            url: checked.url,
            events: checked.events,
            project: checked.project,
            secret: checked.secret,
            enabled: true,
            paused_until: None,
            created_at: office.surroundings.timepiece.now().wall,
        };
        office.outbox.insert_subscription(own.clone()).await?;
        office.subscriptions.write().insert(own.id, own.clone());
        office.open_lane(own.clone());
        Ok(own)
    }

    /// Lists the subscriptions of an account, oldest first.
    #[must_use]
    pub fn subscriptions(&self, account: Uuid) -> Vec<Subscription> {
        let all = self.office.subscriptions.read();
        let own = all.values().filter(|own| own.account == account);
        own.map(|own| self.shown(own)).collect()
    }

    /// Finds a subscription of an account.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`].
    pub fn subscription(&self, account: Uuid, id: SubscriptionId) -> Result<Subscription, Error> {
        let all = self.office.subscriptions.read();
        all.get(&id)
            .filter(|own| own.account == account)
            .map(|own| self.shown(own))
            .ok_or_else(|| Error::NotFound(id.to_string()))
    }

    /// Turns a subscription on or off. What it was owed when it is turned off waits,
    /// and is sent when it is turned on again if it is not forgotten by then. Its pause
    /// stays: it is the address that has asked for it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn switch(
        &self,
        account: Uuid,
        id: SubscriptionId,
        enabled: bool,
    ) -> Result<Subscription, Error> {
        let office = &self.office;
        let _changing = office.changing.lock().await;
        let mut own = self.subscription(account, id)?;
        if own.enabled == enabled {
            return Ok(own);
        }
        office.outbox.switch_subscription(id, enabled).await?;
        own.enabled = enabled;
        if let Some(kept) = office.subscriptions.write().get_mut(&id) {
            kept.enabled = enabled;
        }
        if enabled {
            office.open_lane(own.clone());
        } else {
            office.close_lane(id);
        }
        Ok(own)
    }

    /// Removes a subscription; what it was owed is owed no more.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn unsubscribe(&self, account: Uuid, id: SubscriptionId) -> Result<(), Error> {
        let office = &self.office;
        let _changing = office.changing.lock().await;
        self.subscription(account, id)?;
        office.outbox.delete_subscription(id).await?;
        office.subscriptions.write().remove(&id);
        office.remove_lane(id);
        Ok(())
    }

    /// Lists up to `limit` letters of a subscription, newest first; only those that were
    /// offered before the letter `after`, if one is named.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn letters(
        &self,
        account: Uuid,
        id: SubscriptionId,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Letter>, Error> {
        self.subscription(account, id)?;
        let mut letters = self.office.outbox.letters(id, after, limit).await?;
        let timepiece = &self.office.surroundings.timepiece;
        for letter in &mut letters {
            letter.due_at = letter.due_at.map(|due| timepiece.shown(due));
        }
        Ok(letters)
    }

    /// Owes an event to all of the account's subscriptions that want it. It is stored
    /// when this returns; the same event (by source and id) once more owes nothing, and
    /// neither does one whose type is not among [`KINDS`](crate::KINDS). `project` is
    /// the one that it is about.
    ///
    /// What the account has no room for on the disk is not sent: a letter that says so is
    /// all that is kept of it. A tenant that has filled its disk holds up nobody else.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn offer(
        &self,
        account: Uuid,
        event: &Event,
        project: Option<&str>,
    ) -> Result<(), Error> {
        if !kind::is_delivered(&event.kind) {
            return Ok(());
        }
        let wanting = self.wanting(account, &event.kind, project);
        if wanting.is_empty() {
            return Ok(());
        }
        let body = serde_json::to_vec(event).expect("an event holds nothing that JSON cannot say");
        let office = &self.office;
        let now = office.surroundings.timepiece.now();
        let due_at = office.surroundings.timepiece.for_waits(now).wall;
        let size = LETTER_BYTES + (event.kind.len() + body.len()) as u64;
        let new = |subscription: &SubscriptionId| NewLetter {
            id: letter::id_of(*subscription, event),
            subscription: *subscription,
            kind: event.kind.clone(),
            body: body.clone(),
            created_at: now.wall,
            due_at,
            refused: office
                .surroundings
                .disk
                .take(account, size)
                .err()
                .map(|why| letter::one_line(&format!("was not kept: {why}"))),
        };
        let room = Room {
            most: office.settings.waiting,
            said: "gave way: too many letters waited",
        };
        let letters: Vec<_> = wanting.iter().map(new).collect();
        let refused = letters.iter().filter(|new| new.refused.is_some()).count();
        if refused > 0 {
            office.tally.gave_way(refused as u64);
            tracing::warn!(account.id = %account, letters = refused, "webhooks were not kept: the account's disk is full");
        }
        for (id, letters) in office.outbox.insert_letters(letters, room).await? {
            office.tally.gave_way(letters);
            tracing::warn!(webhook.id = %id, letters, "webhooks were given up: too many waited");
        }
        for id in wanting {
            office.nudge(id);
        }
        Ok(())
    }

    /// A subscription with its pause as the wall will show its end.
    fn shown(&self, own: &Subscription) -> Subscription {
        let timepiece = &self.office.surroundings.timepiece;
        Subscription {
            paused_until: own.paused_until.map(|until| timepiece.shown(until)),
            ..own.clone()
        }
    }

    fn wanting(&self, account: Uuid, kind: &str, project: Option<&str>) -> Vec<SubscriptionId> {
        let all = self.office.subscriptions.read();
        all.values()
            .filter(|own| own.account == account && own.wants(kind, project))
            .map(|own| own.id)
            .collect()
    }

    /// What has been counted since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.office.tally.read()
    }

    /// Counts the letters that wait.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub async fn waiting(&self) -> Result<u64, Error> {
        self.office.outbox.waiting().await
    }

    /// Sends nothing more; waits until attempts in progress have ended. What is offered
    /// after that is stored for the next start.
    pub async fn drain(&self) {
        self.office.stop.cancel();
        self.office.tasks.close();
        self.office.tasks.wait().await;
    }
}
