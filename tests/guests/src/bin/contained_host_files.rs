//! Tries to read, list and make things outside its own folders.

use std::{env, fs};

fn main() {
    for path in env::args().skip(1) {
        if fs::read(&path).is_ok() {
            println!("read {path}");
        }
        if fs::read_dir(&path).is_ok() {
            println!("listed {path}");
        }
        if fs::metadata(&path).is_ok() {
            println!("found {path}");
        }
        if fs::write(format!("{path}/tenterhook"), "was here").is_ok() {
            println!("wrote into {path}");
        }
    }
}
