//! Work on what a client has sent, in steps: between two of them others have their turn.

/// Bytes that take a millisecond or more to go through.
pub(crate) const STEP_BYTES: usize = 64 * 1024;

/// Counts what was gone through since others last had their turn.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    bytes: usize,
}

impl Steps {
    /// Takes note of so many bytes more, and yields after enough of them.
    pub(crate) async fn take(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > STEP_BYTES {
            self.bytes = 0;
            tokio::task::yield_now().await;
        }
    }
}
