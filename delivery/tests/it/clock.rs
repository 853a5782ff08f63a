//! A wall clock that is set: it delays no delivery, and has none pruned.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_clock::{Clock as _, SteppedClock, Timepiece};
use tenterhook_delivery::{Delivery, Disk, Settings, Status, Surroundings, Webhooks};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::memory::Memory;
use crate::receiver::Receiver;
use crate::support::{
    ACCOUNT, OTHER, event, offer, quick, subscribe, until, until_status, until_tried,
};

fn noon() -> SteppedClock {
    SteppedClock::at(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap())
}

/// A disk without a limit.
struct Unlimited;

impl Disk for Unlimited {
    fn take(&self, _account: Uuid, _bytes: u64) -> Result<(), String> {
        Ok(())
    }
}

/// Starts webhooks that live by `clock`, of which an earlier run has seen `seen`.
async fn start_at(
    memory: &Arc<Memory>,
    settings: Settings,
    clock: &SteppedClock,
    seen: Option<OffsetDateTime>,
) -> Webhooks {
    let surroundings = Surroundings {
        timepiece: Timepiece::start(Arc::new(clock.clone()), seen),
        disk: Arc::new(Unlimited),
        ledger: tenterhook_ledger::Ledger::default(),
    };
    Webhooks::start_with(memory.clone(), settings, surroundings)
        .await
        .unwrap()
}

fn slow() -> Settings {
    Settings {
        pause: Duration::from_secs(3_600),
        ..quick()
    }
}

fn years(years: i64) -> time::Duration {
    time::Duration::days(365 * years)
}

#[tokio::test]
async fn a_delivery_is_sent_although_the_clock_was_set_back_while_the_server_was_off() {
    let (clock, memory) = (noon(), Arc::new(Memory::default()));
    let receiver = Receiver::start().await;
    let webhooks = start_at(&memory, quick(), &clock, None).await;
    let to = subscribe(&webhooks, receiver.url()).await;
    webhooks.drain().await;
    offer(&webhooks, "1").await;
    clock.set_wall(clock.now().wall - years(1));

    let webhooks = start_at(&memory, quick(), &clock, None).await;

    until_status(&webhooks, &to, Status::Delivered).await;
}

/// By how much the clock is set.
fn settings_of_the_wall() -> [time::Duration; 5] {
    let seconds = time::Duration::seconds;
    [
        seconds(-9),
        seconds(-3_600),
        -years(1),
        seconds(3_600),
        years(1),
    ]
}

#[tokio::test]
async fn a_delivery_is_retried_when_its_delay_has_passed_however_the_clock_is_set() {
    for set in settings_of_the_wall() {
        let (clock, memory) = (noon(), Arc::new(Memory::default()));
        let receiver = Receiver::start().await;
        receiver.will_answer([500]);
        let webhooks = start_at(&memory, slow(), &clock, None).await;
        let to = subscribe(&webhooks, receiver.url()).await;
        offer(&webhooks, "1").await;
        let wait = wait(&until_tried(&webhooks, &to, 1).await, &clock);

        clock.set_wall(clock.now().wall + set);
        let shown = self::wait(&delivery(&webhooks, &to).await, &clock);
        let differs = shown.abs_diff(wait);
        assert!(differs <= Duration::from_secs(10), "{set}: {differs:?}");
        clock.pass(wait / 2);
        let polls = memory.polls();
        offer_to_another(&webhooks, &to.url).await;
        until("a queue has looked", async || {
            (memory.polls() > polls).then_some(())
        })
        .await;
        assert_eq!(
            delivery(&webhooks, &to).await.attempts,
            1,
            "{set}: it waits"
        );

        clock.pass(wait - wait / 2);
        until_status(&webhooks, &to, Status::Delivered).await;
    }
}

#[tokio::test]
async fn a_delivery_that_is_offered_after_the_clock_was_set_is_due_at_once() {
    for set in settings_of_the_wall() {
        let (clock, memory) = (noon(), Arc::new(Memory::default()));
        let receiver = Receiver::start().await;
        let webhooks = start_at(&memory, slow(), &clock, None).await;
        let to = subscribe(&webhooks, receiver.url()).await;
        clock.set_wall(clock.now().wall + set);

        offer(&webhooks, "1").await;

        let delivery = until_status(&webhooks, &to, Status::Delivered).await;
        assert_eq!(delivery.created_at, clock.now().wall);
    }
}

#[tokio::test]
async fn no_delivery_outlasts_its_delay_after_a_restart_with_a_clock_that_was_set_back() {
    for (status, header) in [(500, "X-Nothing"), (429, "Retry-After")] {
        let (clock, memory) = (noon(), Arc::new(Memory::default()));
        let receiver = Receiver::start().await;
        let header = header.parse().unwrap();
        receiver.will_answer_with(status, header, "1200");
        let webhooks = start_at(&memory, slow(), &clock, None).await;
        let to = subscribe(&webhooks, receiver.url()).await;
        offer(&webhooks, "1").await;
        let wait = wait(&until_tried(&webhooks, &to, 1).await, &clock);
        webhooks.drain().await;
        clock.set_wall(clock.now().wall - years(1));

        let webhooks = start_at(&memory, slow(), &clock, None).await;

        clock.pass(wait);
        until_status(&webhooks, &to, Status::Delivered).await;
    }
}

async fn delivery(webhooks: &Webhooks, to: &tenterhook_delivery::Subscription) -> Delivery {
    let mut deliveries = webhooks.deliveries(ACCOUNT, to.id, None, 9).await.unwrap();
    deliveries.pop().unwrap()
}

/// How long a delivery still waits.
fn wait(delivery: &Delivery, clock: &SteppedClock) -> Duration {
    let wait = delivery.due_at.unwrap() - clock.now().wall;
    wait.try_into().unwrap_or_default()
}

/// Makes queues read the clock, by an event that is not for the first subscription.
async fn offer_to_another(webhooks: &Webhooks, url: &str) {
    let new = tenterhook_delivery::NewSubscription {
        url: url.into(),
        ..Default::default()
    };
    webhooks.subscribe(OTHER, new).await.unwrap();
    webhooks.offer(OTHER, &event("other"), None).await.unwrap();
}

#[tokio::test]
async fn waiting_deliveries_are_not_pruned_when_the_clock_is_set_forward() {
    let (clock, memory) = (noon(), Arc::new(Memory::default()));
    let receiver = Receiver::start().await;
    receiver.will_answer([500; 9]);
    let webhooks = start_at(&memory, slow(), &clock, None).await;
    let to = subscribe(&webhooks, receiver.url()).await;
    offer(&webhooks, "1").await;
    until_tried(&webhooks, &to, 1).await;
    let seen = clock.now().wall;
    let is_there = async |webhooks: &Webhooks| {
        let deliveries = webhooks.deliveries(ACCOUNT, to.id, None, 9).await.unwrap();
        deliveries.len() == 1
    };

    clock.set_wall(seen + years(1));
    let sweeps = memory.sweeps();
    clock.pass(Duration::from_secs(600));
    until("it was swept", async || {
        (memory.sweeps() > sweeps).then_some(())
    })
    .await;
    assert!(is_there(&webhooks).await, "while the server is on");

    webhooks.drain().await;
    let sweeps = memory.sweeps();
    let webhooks = start_at(&memory, slow(), &clock, Some(seen)).await;
    until("it was swept", async || {
        (memory.sweeps() > sweeps).then_some(())
    })
    .await;
    assert!(is_there(&webhooks).await, "after a restart");
}

/// A disk without any space for one account.
struct FullFor(Uuid);

impl Disk for FullFor {
    fn take(&self, account: Uuid, _bytes: u64) -> Result<(), String> {
        match account == self.0 {
            true => Err("not enough disk of your share".into()),
            false => Ok(()),
        }
    }
}

#[tokio::test]
async fn a_delivery_without_disk_space_fails_and_delays_no_other_account() {
    let memory = Arc::new(Memory::default());
    let surroundings = Surroundings {
        disk: Arc::new(FullFor(ACCOUNT)),
        ..Surroundings::alone(tenterhook_ledger::Ledger::default())
    };
    let webhooks = Webhooks::start_with(memory.clone(), quick(), surroundings)
        .await
        .unwrap();
    let receiver = Receiver::start().await;
    let to = subscribe(&webhooks, receiver.url()).await;

    offer(&webhooks, "1").await;
    offer_to_another(&webhooks, &receiver.url()).await;

    let delivery = until_status(&webhooks, &to, Status::Failed).await;
    let response = "not stored: not enough disk of your share";
    assert_eq!(delivery.response.as_deref(), Some(response));
    assert_eq!((delivery.attempts, delivery.due_at), (0, None));
    assert_eq!(webhooks.counts().failed, 1);
    until("the other one's delivery", async || {
        (receiver.received().len() == 1).then_some(())
    })
    .await;
}
