//! Prints as many bytes as its argument says, half of them on each stream.

use std::io::Write as _;
use std::{env, io};

fn main() -> io::Result<()> {
    let bytes = env::args().nth(1).and_then(|text| text.parse().ok());
    let half = vec![b'x'; bytes.unwrap_or(0_usize) / 2];
    io::stdout().write_all(&half)?;
    io::stdout().flush()?;
    io::stderr().write_all(&half)
}
