//! Prunes deliveries, a bounded batch at a time.

use std::sync::Arc;
use std::time::Duration;

use crate::dispatcher::Dispatcher;
use crate::outbox::Retention;

/// How often deliveries are pruned.
const INTERVAL: Duration = Duration::from_secs(10 * 60);

/// Deliveries pruned at once: other writers wait no longer than that takes.
const BATCH: u32 = 1_000;

/// Prunes what is not to be retained, until the dispatcher stops.
pub(crate) async fn run(dispatcher: Arc<Dispatcher>) {
    loop {
        sweep(&dispatcher).await;
        tokio::select! {
            () = dispatcher.stop.cancelled() => return,
            () = dispatcher.surroundings.timepiece.sleep(INTERVAL) => {}
        }
    }
}

async fn sweep(dispatcher: &Dispatcher) {
    let settings = &dispatcher.settings;
    let retention = Retention {
        // Not the wall clock: setting it forward makes nothing old.
        since: dispatcher.surroundings.timepiece.history() - settings.keep,
        per_subscription: settings.kept,
    };
    while !dispatcher.stop.is_cancelled() {
        match dispatcher.outbox.prune_deliveries(retention, BATCH).await {
            Ok(pruned) if pruned < u64::from(BATCH) => return,
            Ok(_) => {}
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "cannot remove old webhook deliveries");
                return;
            }
        }
    }
}
