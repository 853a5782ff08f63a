//! Where a guest's random bytes come from, charged by the byte.

use std::convert::Infallible;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _, TryRng};
use wasmtime_wasi::WasiCtxBuilder;

use super::meter::{Meter, RANDOM_BYTE};
use crate::seed::Seed;

/// The most random bytes that one call may ask for.
pub(crate) const REQUEST_MAX_BYTES: u64 = 1 << 20;

/// A generator that is seeded when the first byte is requested.
///
/// Most runs never request any.
pub(crate) struct Random {
    seed: [u8; 32],
    meter: Arc<Meter>,
    generator: Option<StdRng>,
}

impl Random {
    pub(crate) fn new(seed: Seed, meter: &Arc<Meter>) -> Self {
        Self::salted(seed, 0, meter)
    }

    /// Creates that of the device for random bytes.
    pub(crate) fn of_device(seed: Seed, meter: &Arc<Meter>) -> Self {
        Self::salted(seed, 2, meter)
    }

    /// Creates one whose bytes are others for each salt, even with the same seed.
    fn salted(seed: Seed, salt: u8, meter: &Arc<Meter>) -> Self {
        Self {
            seed: seed.salted(salt),
            meter: Arc::clone(meter),
            generator: None,
        }
    }

    /// Fills a buffer, for its price.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        self.generator(bytes.len()).fill_bytes(bytes);
    }

    fn generator(&mut self, bytes: usize) -> &mut StdRng {
        self.meter.owe((bytes as u64).saturating_mul(RANDOM_BYTE));
        let seed = self.seed;
        self.generator
            .get_or_insert_with(|| StdRng::from_seed(seed))
    }
}

impl TryRng for Random {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.generator(4).next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.generator(8).next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

/// Returns what a component may reveal: nothing else follows from it.
fn insecure_seed(seed: Seed) -> u128 {
    let mut generator = StdRng::from_seed(seed.salted(3));
    let half = |generator: &mut StdRng| u128::from(generator.next_u64());
    half(&mut generator) << 64 | half(&mut generator)
}

/// Gives a component its randomness.
///
/// The "insecure" generator and the seed for hash tables are made from the same seed, so
/// that it decides everything.
pub(crate) fn install(seed: Seed, meter: &Arc<Meter>, wasi: &mut WasiCtxBuilder) {
    wasi.secure_random(Random::salted(seed, 0, meter))
        .insecure_random(Random::salted(seed, 1, meter))
        .insecure_random_seed(insecure_seed(seed))
        .max_random_size(REQUEST_MAX_BYTES);
}
