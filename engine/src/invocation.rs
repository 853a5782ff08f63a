//! What one run is given: arguments, variables, event, limits, clock and seed.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::gauge::Gauge;
use crate::limits::Limits;

/// What one run is given. The guest sees nothing else.
///
/// The default gives it nothing: no arguments, no variables, empty standard
/// input, no event file, no network, default [`Limits`].
#[derive(Clone, Default)]
pub struct Invocation {
    /// The guest's `argv[0]`; for a script, the name of its file.
    pub name: String,
    /// The arguments after the name.
    pub args: Vec<String>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
    /// Standard input.
    pub stdin: Bytes,
    /// The whole event as JSON, placed at `/event.json`; empty for none, and then there is
    /// no such file.
    pub event: Bytes,
    /// The bounds on this run.
    pub limits: Limits,
    /// The clocks that the guest reads.
    pub clock: Clock,
    /// Where the guest's random bytes come from.
    pub seed: Seed,
    /// Ends the run as [`Outcome::Cancelled`](crate::Outcome::Cancelled), whatever it is doing.
    pub cancel: CancellationToken,
    /// Receives the output while the guest prints it.
    pub output: Option<Arc<dyn OutputSink>>,
    /// Shows what the run has used so far while it is in progress.
    pub gauge: Option<Arc<Gauge>>,
}

/// The clocks that a guest reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The host's clocks.
    #[default]
    Real,
    /// The wall clock starts at this time, the monotonic clock at zero, and both advance
    /// only when the guest sleeps.
    Frozen(SystemTime),
}

/// Where the guest's random bytes come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seed {
    /// The operating system.
    #[default]
    Random,
    /// A generator seeded with this number: the same bytes in every run.
    Fixed(u64),
}

/// One of the guest's two output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Receives a guest's output while it is printed.
///
/// Called on the thread that runs the guest, so it must not block. Only bytes
/// within the output limit arrive.
pub trait OutputSink: Send + Sync {
    /// Takes the next bytes of one stream.
    fn write(&self, stream: Stream, bytes: &[u8]);
}
