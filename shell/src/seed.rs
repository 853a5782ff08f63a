//! Randomness anew for each run.
//!
//! A snapshot freezes every generator in it. `$RANDOM` and the origin of
//! `$SECONDS` are set again; the seed of the standard library's hash maps, which
//! `sort -R` uses, cannot be set and is moved on by a drawn number of steps.
//! `mktemp`, `shuf` and `/dev/urandom` ask the host each time.

use crate::shell::Shell;
use std::collections::hash_map::RandomState;

/// Steps that the hash seed may be moved on.
const HASH_STEPS: u64 = 256;

impl Shell {
    /// Starts all that is random or counts time in the shell.
    pub(crate) async fn reseed(&mut self, seed: u64) {
        for _ in 0..seed % HASH_STEPS {
            std::hint::black_box(RandomState::new());
        }
        let random = seed >> 32;
        let prelude = format!("RANDOM={random} SECONDS=0");
        // Two assignments cannot fail.
        let _ = self.bash.exec(&prelude).await;
    }
}
