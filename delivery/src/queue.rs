//! The queue of one endpoint: its deliveries are sent one at a time, in due order.
//!
//! A delivery that fails waits for its next attempt and does not hold up those behind
//! it. What is due is always read from the store and never only kept here, so a queue
//! can end at any moment and another can continue.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::attempt::{NextStep, apply_result};
use crate::delivery::{Delivery, Status};
use crate::dispatcher::Dispatcher;
use crate::error::Error;
use crate::sender::Request;
use crate::subscription::Subscription;

/// Deliveries read from the store at once; few, since their bodies are read with them.
const BATCH: u32 = 8;

/// How long a queue pauses after the store has failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// The longest sleep. Nothing depends on it.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Sends the deliveries of one subscription.
pub(crate) struct Queue {
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) to: Subscription,
    /// Notified when there are new deliveries.
    pub(crate) wake: Arc<Notify>,
    /// No further delivery is sent once this is cancelled.
    pub(crate) stop: CancellationToken,
}

/// Why a queue has nothing to send for now.
enum Pause {
    /// Waits for new deliveries, for at most this long if it is given.
    Idle(Option<Duration>),
    /// Lets the store recover, even if there are new deliveries.
    Broken,
}

impl Queue {
    /// Sends what is due until it is stopped.
    pub(crate) async fn run(self) {
        while !self.stop.is_cancelled() {
            let pause = match self.send_due().await {
                Ok(ControlFlow::Continue(pause)) => pause,
                Ok(ControlFlow::Break(())) => return,
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(%error, cause, webhook.id = %self.to.id, "webhook deliveries are delayed");
                    Pause::Broken
                }
            };
            let (wakes, wait) = match pause {
                Pause::Idle(wait) => (true, wait),
                Pause::Broken => (false, Some(STORE_PAUSE)),
            };
            // Measured in time that passes, whatever the wall clock shows meanwhile.
            let sleep = self
                .dispatcher
                .surroundings
                .timepiece
                .sleep(wait.unwrap_or_default().min(LONGEST_SLEEP));
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = self.wake.notified(), if wakes => {}
                () = sleep, if wait.is_some() => {}
            }
        }
    }

    /// Sends what is due now. Breaks if nothing may be sent any more.
    async fn send_due(&self) -> Result<ControlFlow<(), Pause>, Error> {
        let now = self.dispatcher.surroundings.timepiece.now_for_waits();
        let due = self
            .dispatcher
            .outbox
            .due(self.to.id, now.wall, BATCH)
            .await?;
        if due.is_empty() {
            let next = self.dispatcher.outbox.next_due(self.to.id).await?;
            let wait = next.map(|next| now.until(next, LONGEST_SLEEP));
            return Ok(ControlFlow::Continue(Pause::Idle(wait)));
        }
        for (delivery, body) in due {
            match self.send(delivery, body).await? {
                NextStep::Continue => {}
                // Nothing is due until then: the next read of the store shows that.
                NextStep::Pause(_) => break,
                NextStep::Disable => return Ok(ControlFlow::Break(())),
            }
            if self.stop.is_cancelled() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(Pause::Idle(Some(Duration::ZERO))))
    }

    /// Makes one attempt and records its result.
    async fn send(&self, delivery: Delivery, body: Vec<u8>) -> Result<NextStep, Error> {
        let dispatcher = &self.dispatcher;
        let permit = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Ok(NextStep::Continue),
            permit = dispatcher.permit(self.to.account) => permit?,
        };
        let request = Request {
            id: delivery.id,
            url: self.to.url.clone(),
            secret: self.to.secret.clone(),
            body,
        };
        let result = dispatcher.sender.attempt(request).await;
        drop(permit);
        let now = dispatcher.surroundings.timepiece.now_for_waits().wall;
        let (delivery, wait, next) = apply_result(
            delivery,
            &result,
            &dispatcher.settings,
            now,
            &mut rand::rng(),
        );
        self.log(&delivery);
        dispatcher.stats.count(delivery.status);
        let pause = match next {
            NextStep::Pause(pause) => Some(pause),
            NextStep::Continue | NextStep::Disable => None,
        };
        dispatcher
            .outbox
            .record_attempt(delivery, wait, pause)
            .await?;
        if let Some(pause) = pause {
            dispatcher.pause(self.to.id, pause.until);
        }
        if next == NextStep::Disable {
            dispatcher.disable(self.to.id).await?;
        }
        Ok(next)
    }

    fn log(&self, delivery: &Delivery) {
        let response = delivery.response.as_deref().unwrap_or_default();
        let (id, to, attempt) = (delivery.id, self.to.id, delivery.attempts);
        match delivery.status {
            Status::Failed => {
                tracing::warn!(delivery.id = %id, webhook.id = %to, attempt, response, "a webhook delivery was given up");
            }
            Status::Delivered | Status::Waiting => {
                tracing::debug!(delivery.id = %id, webhook.id = %to, attempt, response, "a webhook delivery was attempted");
            }
        }
    }
}
