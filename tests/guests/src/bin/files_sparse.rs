//! Makes a file of a tebibyte that is all hole, and writes one byte to every block.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};

fn main() -> std::io::Result<()> {
    let mut file = File::create("/work/hole")?;
    println!("grown {}", file.set_len(1 << 40).is_ok());
    for blocks in 0_u64.. {
        file.seek(SeekFrom::Start(blocks * 4096))?;
        if let Err(error) = file.write(b"x") {
            println!("{blocks} blocks, then {:?}", error.raw_os_error());
            break;
        }
    }
    Ok(())
}
