//! Opens one file over and over and keeps it open, then closes all and tries again.

use std::fs::File;

fn main() {
    for _ in 0..2 {
        let mut open = Vec::new();
        let error = loop {
            match File::create("/work/one") {
                Ok(file) => open.push(file),
                Err(error) => break error,
            }
        };
        println!("{} open, then {:?}", open.len(), error.raw_os_error());
    }
}
