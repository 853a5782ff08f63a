//! How long to rest after what has failed on our side, before it is tried again.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

const FIRST: Duration = Duration::from_millis(200);
const MOST: Duration = Duration::from_secs(30);

/// The next pause: it doubles with each failure until something succeeds.
#[derive(Debug)]
pub(crate) struct Pause(Duration);

impl Pause {
    pub(crate) fn new() -> Self {
        Self(FIRST)
    }

    /// Rests after a failure, or until there is nothing more to be done.
    pub(crate) async fn rest(&mut self, stop: &CancellationToken) {
        let _stopped = tokio::time::timeout(self.0, stop.cancelled()).await;
        self.0 = (self.0 * 2).min(MOST);
    }

    /// Notes that something has succeeded.
    pub(crate) fn end(&mut self) {
        self.0 = FIRST;
    }
}
