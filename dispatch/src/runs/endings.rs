//! The outcomes of the executions of many tasks, as a list of tasks shows them. They are read
//! at once for all of them, and not from executions read one by one.

/// A summary of how the finished executions of one task ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endings {
    /// The first exit status other than 0 among those that failed.
    pub failed_status: Option<u8>,
    /// Bytes that reading their verdicts takes.
    pub verdict_bytes: u64,
}
