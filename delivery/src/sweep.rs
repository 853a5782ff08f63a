//! Forgetting letters, a bounded part at a time.

use std::sync::Arc;
use std::time::Duration;

use crate::office::Office;
use crate::outbox::Keep;

/// How often letters are forgotten.
const EVERY: Duration = Duration::from_secs(10 * 60);

/// Letters that are forgotten at one time: other writers wait no longer than that takes.
const PART: u32 = 1_000;

/// Forgets what is not to be kept, until the office is closed.
pub(crate) async fn run(office: Arc<Office>) {
    loop {
        sweep(&office).await;
        tokio::select! {
            () = office.stop.cancelled() => return,
            () = office.surroundings.timepiece.sleep(EVERY) => {}
        }
    }
}

async fn sweep(office: &Office) {
    let settings = &office.settings;
    let keep = Keep {
        // Not what the wall shows: a clock that was set forward makes nothing old.
        since: office.surroundings.timepiece.history() - settings.keep,
        per_subscription: settings.kept,
    };
    while !office.stop.is_cancelled() {
        match office.outbox.forget_letters(keep, PART).await {
            Ok(forgotten) if forgotten < u64::from(PART) => return,
            Ok(_) => {}
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "old webhooks stay");
                return;
            }
        }
    }
}
