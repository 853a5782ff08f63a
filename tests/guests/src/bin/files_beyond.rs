//! Asks its files for what no file system gives, and prints the errors: cycles, endless
//! links, names and paths beyond their lengths, offsets behind the last one, and folders
//! that are gone. With the argument `names`, fills one folder instead.

use std::env;
use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};

fn main() {
    if env::args().nth(1).as_deref() == Some("names") {
        return fill();
    }
    fs::create_dir_all("/work/a/b").expect("there is room for two folders");
    shown("a folder in itself", fs::rename("/work/a", "/work/a/b/c"));
    shown(
        "a second name of a folder",
        fs::hard_link("/work/a", "/work/z"),
    );

    for (name, target) in [
        ("/work/x", "y"),
        ("/work/y", "x"),
        ("/work/self", "self/self"),
    ] {
        #[expect(
            deprecated,
            reason = "the only call of the standard library that WASI has"
        )]
        fs::soft_link(target, name).expect("there is room for three links");
    }
    shown("two links in a circle", fs::read("/work/x"));
    shown("a link to itself", fs::read("/work/self"));

    let long = "n".repeat(256);
    shown("a long name", File::create(format!("/work/{long}")));
    let long = "a/".repeat(3_000);
    shown("a long path", fs::read(format!("/work/{long}")));

    let mut file = File::create("/work/file").expect("there is room for a file");
    let last = file.seek(SeekFrom::Start(i64::MAX.cast_unsigned()));
    shown("the last offset", last);
    shown("a byte behind it", file.write(b"x"));
    shown("an offset behind it", file.seek(SeekFrom::Current(1)));
    shown("a size up to it", file.set_len(i64::MAX.cast_unsigned()));

    let held = File::open("/work/a/b").expect("it was created");
    fs::remove_dir("/work/a/b").expect("it is empty");
    shown(
        "a file in a folder that is gone",
        File::create("/work/a/b/c"),
    );
    drop(held);

    let mut names = 0;
    let error = loop {
        if let Err(error) = fs::hard_link("/work/file", format!("/work/{names}")) {
            break error;
        }
        names += 1;
    };
    println!("names without end: {:?}", error.raw_os_error());
}

fn shown<T>(what: &str, done: io::Result<T>) {
    match done {
        Ok(_) => println!("{what}: done"),
        Err(error) => println!("{what}: {:?}", error.raw_os_error()),
    }
}

/// Fills one folder with names, and reads it.
fn fill() {
    let mut names = 0_u32;
    let error = loop {
        if let Err(error) = fs::write(format!("/tmp/{names}"), "") {
            break error;
        }
        names += 1;
    };
    let listed = fs::read_dir("/tmp").map_or(0, |entries| entries.flatten().count());
    println!(
        "{names} names, {listed} listed, then {:?}",
        error.raw_os_error()
    );
}
