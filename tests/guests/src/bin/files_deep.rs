//! Makes a folder in a folder in a folder until it may not, and asks for a path
//! that is far too long.

use std::fs;

fn main() {
    let mut path = String::from("/work");
    for depth in 0_u64.. {
        path.push_str("/d");
        if let Err(error) = fs::create_dir(&path) {
            println!("{depth} deep, then {:?}", error.raw_os_error());
            break;
        }
    }
    let long = "d/".repeat(10_000);
    println!("long {:?}", fs::read(long).unwrap_err().raw_os_error());
}
