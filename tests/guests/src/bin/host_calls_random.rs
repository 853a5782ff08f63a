//! Asks for a gibibyte of random bytes at once, then for small pieces for ever.

use tenterhook_tests_guests::wasi;

fn main() {
    println!("at once {}", wasi::random_get(0, 1 << 30));
    let mut buffer = vec![0; 64 << 10];
    loop {
        wasi::random(&mut buffer);
    }
}
