//! How busy an engine is and was, for metrics.

use crate::lockdown::Layers;

/// How busy an engine is and was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Runs that may be in progress at a time.
    pub sandboxes: u32,
    /// Runs that are in progress.
    pub sandboxes_in_use: u32,
    /// Programs compiled since the start; what came from the cache is not counted.
    pub compilations: u64,
    /// Microseconds of wall-clock time that those took, without waiting for their turn.
    pub compile_us: u64,
    /// The longest that a run kept its thread without yielding, in microseconds of
    /// processor time. A busy guest yields its thread every millisecond.
    pub longest_poll_us: u64,
    /// The lockdown of the threads that run guests.
    pub guest_lockdown: Layers,
    /// The lockdown of the rest of the process, once it was applied.
    pub process_lockdown: Layers,
}
