//! Prints what is different in every run: random bytes, a hash map's order, the time.

use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use tenterhook_tests_guests::wasi;

fn main() {
    let mut bytes = [0_u8; 16];
    assert_eq!(wasi::random(&mut bytes), 0);
    println!("random {bytes:?}");
    println!("order {:?}", (0..32).collect::<HashSet<u32>>());
    println!("wall {:?}", SystemTime::now().duration_since(UNIX_EPOCH));
    println!("monotonic {}", wasi::now(wasi::MONOTONIC));
    println!("nan {:x}", (0.0_f64 / std::hint::black_box(0.0)).to_bits());
}
