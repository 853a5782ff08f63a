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
struct Source {
    seed: Seed,
    meter: Arc<Meter>,
    generator: Option<StdRng>,
}

impl Source {
    fn generator(&mut self, bytes: usize) -> &mut StdRng {
        self.meter.owe((bytes as u64).saturating_mul(RANDOM_BYTE));
        self.generator.get_or_insert_with(|| match self.seed {
            Seed::Fixed(seed) => StdRng::seed_from_u64(seed),
            Seed::Random => StdRng::try_from_rng(&mut SysRng)
                .expect("the operating system has random bytes once it has booted"),
        })
    }
}

impl TryRng for Source {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.generator(4).next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.generator(8).next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.generator(bytes.len()).fill_bytes(bytes);
        Ok(())
    }
}

/// Gives a guest the randomness that its invocation asks for.
///
/// The "insecure" generator and the seed for hash tables come from the same
/// source, so that a fixed seed fixes everything.
pub(crate) fn install(seed: Seed, meter: &Arc<Meter>, wasi: &mut WasiCtxBuilder) {
    let source = |salt: u64| Source {
        seed: match seed {
            Seed::Random => Seed::Random,
            Seed::Fixed(seed) => Seed::Fixed(seed ^ salt),
        },
        meter: Arc::clone(meter),
        generator: None,
    };
    wasi.secure_random(source(0))
        .insecure_random(source(1))
        .max_random_size(REQUEST_MAX_BYTES);
    if let Seed::Fixed(seed) = seed {
        wasi.insecure_random_seed(u128::from(seed));
    }
}
