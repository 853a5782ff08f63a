//! A wall clock that somebody sets: no letter waits for it, and none is forgotten by it.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_clock::{Clock as _, SteppedClock, Timepiece};
use tenterhook_delivery::{Delivery, Disk, Fate, Settings, Surroundings};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::memory::Memory;
use crate::receiver::Receiver;
use crate::support::{
    ACCOUNT, OTHER, event, offer, quick, subscribe, until, until_fate, until_tried,
};

fn noon() -> SteppedClock {
    SteppedClock::at(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap())
}

/// Room without an end.
struct Endless;

impl Disk for Endless {
    fn take(&self, _account: Uuid, _bytes: u64) -> Result<(), String> {
        Ok(())
    }
}

/// A delivery that lives by `clock`, of which an earlier run has seen `seen`.
async fn start_at(
    memory: &Arc<Memory>,
    settings: Settings,
    clock: &SteppedClock,
    seen: Option<OffsetDateTime>,
) -> Delivery {
    let surroundings = Surroundings {
        timepiece: Timepiece::start(Arc::new(clock.clone()), seen),
        disk: Arc::new(Endless),
        ledger: tenterhook_ledger::Ledger::default(),
    };
    Delivery::start_with(memory.clone(), settings, surroundings)
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
async fn a_letter_is_sent_although_the_clock_was_set_back_while_the_server_was_off() {
    let (clock, memory) = (noon(), Arc::new(Memory::default()));
    let receiver = Receiver::start().await;
    let delivery = start_at(&memory, quick(), &clock, None).await;
    let to = subscribe(&delivery, receiver.url()).await;
    delivery.drain().await;
    offer(&delivery, "1").await;
    clock.set_wall(clock.now().wall - years(1));

    let delivery = start_at(&memory, quick(), &clock, None).await;

    until_fate(&delivery, &to, Fate::Delivered).await;
}

#[tokio::test]
async fn a_letter_is_tried_again_when_its_time_has_passed_however_the_clock_is_set() {
    for set in [-years(1), years(1)] {
        let (clock, memory) = (noon(), Arc::new(Memory::default()));
        let receiver = Receiver::start().await;
        receiver.will_answer([500]);
        let delivery = start_at(&memory, slow(), &clock, None).await;
        let to = subscribe(&delivery, receiver.url()).await;
        offer(&delivery, "1").await;
        let tried = until_tried(&delivery, &to, 1).await;
        let wait = tried.due_at.unwrap() - clock.now().wall;

        clock.set_wall(clock.now().wall + set);
        let looks = memory.looks();
        offer_to_another(&delivery, &to.url).await;
        until("the lane has looked", async || {
            (memory.looks() > looks).then_some(())
        })
        .await;
        if wait > time::Duration::minutes(2) {
            assert_eq!(attempts(&delivery, &to).await, 1, "{set}: it waits still");
        }

        // An hour at most is what a letter waits; a year would be ten times as many steps.
        for _ in 0..1_000 {
            clock.pass(Duration::from_secs(60));
            tokio::task::yield_now().await;
            if attempts(&delivery, &to).await == 2 {
                break;
            }
        }
        until_fate(&delivery, &to, Fate::Delivered).await;
    }
}

async fn attempts(delivery: &Delivery, to: &tenterhook_delivery::Subscription) -> u32 {
    let letters = delivery.letters(ACCOUNT, to.id, None, 9).await.unwrap();
    letters.last().map_or(0, |letter| letter.attempts)
}

/// Has lanes look at the clock, by something that the first address is not owed.
async fn offer_to_another(delivery: &Delivery, url: &str) {
    let new = tenterhook_delivery::NewSubscription {
        url: url.into(),
        ..Default::default()
    };
    delivery.subscribe(OTHER, new).await.unwrap();
    delivery.offer(OTHER, &event("other"), None).await.unwrap();
}

#[tokio::test]
async fn what_is_owed_is_not_forgotten_when_the_clock_is_set_forward() {
    let (clock, memory) = (noon(), Arc::new(Memory::default()));
    let receiver = Receiver::start().await;
    receiver.will_answer([500; 9]);
    let delivery = start_at(&memory, slow(), &clock, None).await;
    let to = subscribe(&delivery, receiver.url()).await;
    offer(&delivery, "1").await;
    until_tried(&delivery, &to, 1).await;
    let seen = clock.now().wall;
    let is_there = async |delivery: &Delivery| {
        let letters = delivery.letters(ACCOUNT, to.id, None, 9).await.unwrap();
        letters.len() == 1
    };

    clock.set_wall(seen + years(1));
    let sweeps = memory.sweeps();
    clock.pass(Duration::from_secs(600));
    until("it was swept", async || {
        (memory.sweeps() > sweeps).then_some(())
    })
    .await;
    assert!(is_there(&delivery).await, "while the server is on");

    delivery.drain().await;
    let sweeps = memory.sweeps();
    let delivery = start_at(&memory, slow(), &clock, Some(seen)).await;
    until("it was swept", async || {
        (memory.sweeps() > sweeps).then_some(())
    })
    .await;
    assert!(is_there(&delivery).await, "after a restart");
}

/// No room at all for one account.
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
async fn what_there_is_no_room_for_is_kept_as_given_up_and_holds_up_nobody() {
    let memory = Arc::new(Memory::default());
    let surroundings = Surroundings {
        disk: Arc::new(FullFor(ACCOUNT)),
        ..Surroundings::alone(tenterhook_ledger::Ledger::default())
    };
    let delivery = Delivery::start_with(memory.clone(), quick(), surroundings)
        .await
        .unwrap();
    let receiver = Receiver::start().await;
    let to = subscribe(&delivery, receiver.url()).await;

    offer(&delivery, "1").await;
    offer_to_another(&delivery, &receiver.url()).await;

    let letter = until_fate(&delivery, &to, Fate::Failed).await;
    let said = "was not kept: not enough disk of your share";
    assert_eq!(letter.said.as_deref(), Some(said));
    assert_eq!((letter.attempts, letter.due_at), (0, None));
    assert_eq!(delivery.counts().failed, 1);
    until("the other one's letter", async || {
        (receiver.received().len() == 1).then_some(())
    })
    .await;
}
