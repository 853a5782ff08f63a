//! What the executions of many tasks have come to, as a list of tasks tells it. It is read
//! at once for all of them, and not from executions read one by one.

/// How the executions of one task that are over have ended, in short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endings {
    /// The first exit status other than 0 among those that failed.
    pub failed_status: Option<u8>,
    /// Bytes that reading their verdicts takes.
    pub verdict_bytes: u64,
}
