//! Where a guest's random bytes come from, charged by the byte.

use std::convert::Infallible;
use std::sync::Arc;

use rand::rngs::{StdRng, SysRng};
use rand::{Rng as _, SeedableRng as _, TryRng};
use wasmtime_wasi::WasiCtxBuilder;

use super::meter::{Meter, RANDOM_BYTE};
use crate::invocation::Seed;

/// The most random bytes that one call may ask for.
pub(crate) const REQUEST_MAX_BYTES: u64 = 1 << 20;

/// A generator that is seeded when the first byte is requested.
///
/// Most runs never request any, and seeding from the operating system is a system call.
pub(crate) struct Random {
    seed: Seed,
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
    fn salted(seed: Seed, salt: u64, meter: &Arc<Meter>) -> Self {
        Self {
            seed: match seed {
                Seed::Random => Seed::Random,
                Seed::Fixed(seed) => Seed::Fixed(seed ^ salt),
            },
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
        self.generator.get_or_insert_with(|| match self.seed {
            Seed::Fixed(seed) => StdRng::seed_from_u64(seed),
            Seed::Random => StdRng::try_from_rng(&mut SysRng)
                .expect("the operating system has random bytes once it has booted"),
        })
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

/// Gives a component the randomness that its invocation asks for.
///
/// The "insecure" generator and the seed for hash tables come from the same
/// source, so that a fixed seed fixes everything.
pub(crate) fn install(seed: Seed, meter: &Arc<Meter>, wasi: &mut WasiCtxBuilder) {
    wasi.secure_random(Random::salted(seed, 0, meter))
        .insecure_random(Random::salted(seed, 1, meter))
        .max_random_size(REQUEST_MAX_BYTES);
    if let Seed::Fixed(seed) = seed {
        wasi.insecure_random_seed(u128::from(seed));
    }
}
