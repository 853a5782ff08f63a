//! Fresh randomness for each run.
//!
//! A snapshot freezes every generator in it. `$RANDOM` and the origin of
//! `$SECONDS` are set again; the seed of the standard library's hash maps, which
//! `sort -R` uses, cannot be set and is moved on by a drawn number of steps.
//! `mktemp`, `shuf` and `/dev/urandom` ask the host each time.

use std::collections::hash_map::RandomState;

/// Steps that the hash seed may be moved on.
const HASH_STEPS: u64 = 256;

/// Moves the hash seed on and returns commands that start what else is random, counts
/// time, or counts shells: that of the script is the first.
pub(crate) fn prelude(seed: u64) -> String {
    for _ in 0..seed % HASH_STEPS {
        std::hint::black_box(RandomState::new());
    }
    format!("RANDOM={} SECONDS=0 SHLVL=0; ", seed >> 32)
}
