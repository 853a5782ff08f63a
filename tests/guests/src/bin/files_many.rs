//! Makes empty files until it may not.

use std::fs::File;

fn main() {
    for count in 0_u64.. {
        if let Err(error) = File::create(format!("/tmp/{count}")) {
            println!("{count} files, then {:?}", error.raw_os_error());
            break;
        }
    }
}
