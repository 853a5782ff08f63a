//! The way to one address: its letters leave one after another, in the order in
//! which they are due.
//!
//! A letter that fails waits for its next attempt and does not hold up those behind
//! it. What is due is always read from the store, so a lane can end at any moment and
//! another can go on.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::letter::{Fate, Letter};
use crate::office::Office;
use crate::post::Sending;
use crate::settle::{Follows, settle};
use crate::subscription::Subscription;

/// Letters that are read from the store at one time; with their bodies, so few.
const BATCH: u32 = 8;

/// How long a lane rests after the store has failed.
const STORE_REST: Duration = Duration::from_secs(1);

/// The longest sleep. Nothing depends on it.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The way to one address.
pub(crate) struct Lane {
    pub(crate) office: Arc<Office>,
    pub(crate) to: Subscription,
    /// Rings when there are new letters.
    pub(crate) nudge: Arc<Notify>,
    /// No further letter is sent once this is cancelled.
    pub(crate) stop: CancellationToken,
}

/// What a lane does when it has nothing more to send for now.
enum Pause {
    /// Waits for new letters, at most so long if there is a bound.
    Idle(Option<Duration>),
    /// Lets the store recover, whatever comes.
    Broken,
}

impl Lane {
    /// Sends what is due until it is stopped.
    pub(crate) async fn run(self) {
        while !self.stop.is_cancelled() {
            let pause = match self.send_due().await {
                Ok(ControlFlow::Continue(pause)) => pause,
                Ok(ControlFlow::Break(())) => return,
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(%error, cause, webhook.id = %self.to.id, "webhooks wait");
                    Pause::Broken
                }
            };
            let (nudges, wait) = match pause {
                Pause::Idle(wait) => (true, wait),
                Pause::Broken => (false, Some(STORE_REST)),
            };
            // By what passes, whatever the wall shows meanwhile.
            let sleep = self
                .office
                .surroundings
                .timepiece
                .sleep(wait.unwrap_or_default().min(LONGEST_SLEEP));
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = self.nudge.notified(), if nudges => {}
                () = sleep, if wait.is_some() => {}
            }
        }
    }

    /// Sends what is due now. Breaks if nothing is ever to be sent again.
    async fn send_due(&self) -> Result<ControlFlow<(), Pause>, Error> {
        let now = self.office.surroundings.timepiece.now_for_waits();
        let due = self.office.outbox.due(self.to.id, now.wall, BATCH).await?;
        if due.is_empty() {
            let next = self.office.outbox.next_due(self.to.id).await?;
            let wait = next.map(|next| now.until(next, LONGEST_SLEEP));
            return Ok(ControlFlow::Continue(Pause::Idle(wait)));
        }
        for (letter, body) in due {
            match self.send(letter, body).await? {
                Follows::Next => {}
                // Nothing is due until then: the store says so at the next look.
                Follows::Rest(_) => break,
                Follows::TurnOff => return Ok(ControlFlow::Break(())),
            }
            if self.stop.is_cancelled() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(Pause::Idle(Some(Duration::ZERO))))
    }

    /// Makes one attempt and keeps what it came to.
    async fn send(&self, letter: Letter, body: Vec<u8>) -> Result<Follows, Error> {
        let office = &self.office;
        let turn = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Ok(Follows::Next),
            turn = office.turn(self.to.account) => turn?,
        };
        let sending = Sending {
            id: letter.id,
            url: self.to.url.clone(),
            secret: self.to.secret.clone(),
            body,
        };
        let heard = office.post.attempt(sending).await;
        drop(turn);
        let now = office.surroundings.timepiece.now_for_waits().wall;
        let (letter, wait, follows) =
            settle(letter, &heard, &office.settings, now, &mut rand::rng());
        self.tell(&letter);
        office.tally.count(letter.fate);
        let pause = match follows {
            Follows::Rest(pause) => Some(pause),
            Follows::Next | Follows::TurnOff => None,
        };
        office.outbox.settle_letter(letter, wait, pause).await?;
        if let Some(pause) = pause {
            office.pause(self.to.id, pause.until);
        }
        if follows == Follows::TurnOff {
            office.turn_off(self.to.id).await?;
        }
        Ok(follows)
    }

    fn tell(&self, letter: &Letter) {
        let said = letter.said.as_deref().unwrap_or_default();
        let (id, to, attempt) = (letter.id, self.to.id, letter.attempts);
        match letter.fate {
            Fate::Failed => {
                tracing::warn!(letter.id = %id, webhook.id = %to, attempt, said, "a webhook was given up");
            }
            Fate::Delivered | Fate::Waiting => {
                tracing::debug!(letter.id = %id, webhook.id = %to, attempt, said, "a webhook was tried");
            }
        }
    }
}
