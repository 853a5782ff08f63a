//! How long to wait after a failure on our side before trying again.

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

    /// Waits after a failure, or until `stop` is cancelled.
    pub(crate) async fn rest(&mut self, stop: &CancellationToken) {
        let _stopped = tokio::time::timeout(self.0, stop.cancelled()).await;
        self.0 = (self.0 * 2).min(MOST);
    }

    /// Resets the pause after a success.
    pub(crate) fn end(&mut self) {
        self.0 = FIRST;
    }
}
