//! How busy an engine is and was, for metrics.

use crate::lockdown::Layers;

/// How busy an engine is and was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Runs that may be in progress at one time.
    pub sandboxes: u32,
    /// Runs that are in progress.
    pub sandboxes_in_use: u32,
    /// Programs compiled since the start; what came from the cache is not counted.
    pub compilations: u64,
    /// Microseconds that those took by the clock, waiting for their turn aside.
    pub compile_us: u64,
    /// The longest that a run kept its thread at a stretch, in microseconds of
    /// processor time. A busy guest gives its thread back every millisecond.
    pub longest_poll_us: u64,
    /// Whether the kernel holds the quota of modules' files. If not, the host
    /// counts them, and components get theirs read-only.
    pub scratch_mounted: bool,
    /// What holds the threads that run guests.
    pub guests_held: Layers,
    /// What holds the rest of the process, if it asked for that.
    pub process_held: Layers,
}
