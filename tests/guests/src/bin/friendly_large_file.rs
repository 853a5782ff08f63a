//! Writes a file of nine mebibytes in one piece and reads it back in one.

use std::fs;

fn main() -> std::io::Result<()> {
    let pattern = |index: usize| u8::try_from(index % 251).expect("less than 251");
    let written: Vec<u8> = (0..9 << 20).map(pattern).collect();
    fs::write("/work/large", &written)?;
    let read = fs::read("/work/large")?;
    println!("{} bytes, the same: {}", read.len(), read == written);
    Ok(())
}
