//! What one run is given: arguments, variables, event, limits, start and seed.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::gauge::Gauge;
use crate::limits::Limits;
use crate::seed::Seed;

/// What one run is given. The guest sees nothing else, and runs that are given the same,
/// start and seed included, are equal.
///
/// The default gives it nothing: no arguments, no variables, empty standard
/// input, no event file, no network, default [`Limits`]. It starts now, with a seed of its
/// own.
#[derive(Clone)]
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
    /// The time that the guest's clock starts at; 1970 if it is earlier.
    pub start: SystemTime,
    /// What the guest's random bytes are made from.
    pub seed: Seed,
    /// Whether a sleep takes its time.
    pub pace: Pace,
    /// Ends the run as [`Outcome::Cancelled`](crate::Outcome::Cancelled), whatever it is doing.
    pub cancel: CancellationToken,
    /// Receives the output while the guest prints it.
    pub output: Option<Arc<dyn OutputSink>>,
    /// Shows what the run has used so far while it is in progress.
    pub gauge: Option<Arc<Gauge>>,
}

impl Default for Invocation {
    fn default() -> Self {
        Self {
            name: String::new(),
            args: Vec::new(),
            env: Vec::new(),
            stdin: Bytes::new(),
            event: Bytes::new(),
            limits: Limits::default(),
            start: SystemTime::now(),
            seed: Seed::draw(),
            pace: Pace::Real,
            cancel: CancellationToken::new(),
            output: None,
            gauge: None,
        }
    }
}

/// Whether a sleep takes its time. The guest cannot tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// A sleep takes as long as the guest asks for.
    #[default]
    Real,
    /// A sleep ends at once. The guest's clock moves as if the time had passed.
    Skip,
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
