//! Sleeps for an hour: counted from now, until a time, or many at once.

use std::env;

use tenterhook_tests_guests::wasi::{self, MONOTONIC, Sleep, Until};

const HOUR_NS: u64 = 3_600_000_000_000;

fn main() {
    let sleeps = match env::args().nth(1).as_deref() {
        Some("until") => vec![Sleep::new(
            MONOTONIC,
            wasi::now(MONOTONIC) + HOUR_NS,
            Until::Time,
        )],
        Some("many") => vec![Sleep::new(MONOTONIC, HOUR_NS, Until::FromNow); 64],
        _ => vec![Sleep::new(MONOTONIC, HOUR_NS, Until::FromNow)],
    };
    println!("sleeping");
    println!("woke with {}", wasi::poll(&sleeps));
}
