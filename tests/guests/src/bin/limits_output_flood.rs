//! Prints without end, and does not care what becomes of it.

use std::io::Write as _;

fn main() {
    loop {
        let _ = std::io::stdout().write_all(&[b'x'; 4096]);
    }
}
