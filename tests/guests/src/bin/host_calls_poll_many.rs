//! Waits for more things at once than anybody needs.

use tenterhook_tests_guests::wasi::{self, MONOTONIC, Sleep, Until};

fn main() {
    for count in [64, 65, 100_000] {
        let sleeps = vec![Sleep::new(MONOTONIC, 1, Until::FromNow); count];
        println!("{count} {}", wasi::poll(&sleeps));
    }
    println!("lying {}", wasi::poll_oneoff(0, 0, usize::MAX, 0));
}
