//! A wall clock that somebody sets: no letter waits for it, and none is forgotten by it.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_clock::{Clock as _, SteppedClock, Timepiece};
use tenterhook_delivery::{Delivery, Disk, Fate, Letter, Settings, Surroundings};
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

/// What somebody may set a clock by.
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
async fn a_letter_is_tried_again_when_its_time_has_passed_however_the_clock_is_set() {
    for set in settings_of_the_wall() {
        let (clock, memory) = (noon(), Arc::new(Memory::default()));
        let receiver = Receiver::start().await;
        receiver.will_answer([500]);
        let delivery = start_at(&memory, slow(), &clock, None).await;
        let to = subscribe(&delivery, receiver.url()).await;
        offer(&delivery, "1").await;
        let wait = wait(&until_tried(&delivery, &to, 1).await, &clock);

        clock.set_wall(clock.now().wall + set);
        let shown = self::wait(&letter(&delivery, &to).await, &clock);
        let differs = shown.abs_diff(wait);
        assert!(differs <= Duration::from_secs(10), "{set}: {differs:?}");
        clock.pass(wait / 2);
        let looks = memory.looks();
        offer_to_another(&delivery, &to.url).await;
        until("a lane has looked", async || {
            (memory.looks() > looks).then_some(())
        })
        .await;
        assert_eq!(letter(&delivery, &to).await.attempts, 1, "{set}: it waits");

        clock.pass(wait - wait / 2);
        until_fate(&delivery, &to, Fate::Delivered).await;
    }
}

#[tokio::test]
async fn a_letter_that_is_offered_after_the_clock_was_set_is_due_at_once() {
    for set in settings_of_the_wall() {
        let (clock, memory) = (noon(), Arc::new(Memory::default()));
        let receiver = Receiver::start().await;
        let delivery = start_at(&memory, slow(), &clock, None).await;
        let to = subscribe(&delivery, receiver.url()).await;
        clock.set_wall(clock.now().wall + set);

        offer(&delivery, "1").await;

        let letter = until_fate(&delivery, &to, Fate::Delivered).await;
        assert_eq!(letter.created_at, clock.now().wall);
    }
}

#[tokio::test]
async fn no_letter_waits_longer_than_it_was_to_after_a_restart_with_a_clock_that_was_set_back() {
    for (status, header) in [(500, "X-Nothing"), (429, "Retry-After")] {
        let (clock, memory) = (noon(), Arc::new(Memory::default()));
        let receiver = Receiver::start().await;
        let header = header.parse().unwrap();
        receiver.will_answer_with(status, header, "1200");
        let delivery = start_at(&memory, slow(), &clock, None).await;
        let to = subscribe(&delivery, receiver.url()).await;
        offer(&delivery, "1").await;
        let wait = wait(&until_tried(&delivery, &to, 1).await, &clock);
        delivery.drain().await;
        clock.set_wall(clock.now().wall - years(1));

        let delivery = start_at(&memory, slow(), &clock, None).await;

        clock.pass(wait);
        until_fate(&delivery, &to, Fate::Delivered).await;
    }
}

async fn letter(delivery: &Delivery, to: &tenterhook_delivery::Subscription) -> Letter {
    let mut letters = delivery.letters(ACCOUNT, to.id, None, 9).await.unwrap();
    letters.pop().unwrap()
}

/// How long a letter waits still.
fn wait(letter: &Letter, clock: &SteppedClock) -> Duration {
    let wait = letter.due_at.unwrap() - clock.now().wall;
    wait.try_into().unwrap_or_default()
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
