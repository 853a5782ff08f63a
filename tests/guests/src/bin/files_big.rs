//! Writes one file until it may not.

use std::fs::File;
use std::io::Write as _;

fn main() -> std::io::Result<()> {
    let mut file = File::create("/work/big")?;
    let mut written = 0;
    let error = loop {
        match file.write(&[1; 64 << 10]) {
            Ok(bytes) => written += bytes,
            Err(error) => break error,
        }
    };
    println!("{written} bytes, then {:?}", error.raw_os_error());
    Ok(())
}
