//! Fills a large piece of memory again and again, or copies one half of it to the
//! other, as its argument says.

use std::hint::black_box;

const BYTES: usize = 448 << 20;

fn main() {
    let mut memory = vec![1_u8; BYTES];
    let copies = std::env::args().nth(1).as_deref() == Some("copy");
    loop {
        let (one, other) = black_box(&mut memory).split_at_mut(BYTES / 2);
        if copies {
            one.copy_from_slice(other);
        } else {
            one.fill(7);
            other.fill(8);
        }
    }
}
