//! Builds the guests of the suites and the examples in Rust, wraps each into a
//! component, and names the files in constants.
//!
//! A bare machine has `wasm32-wasip1` alone, so components are made from the same
//! modules as others make them: with the adapter from preview 1.

#[path = "build/component.rs"]
mod component;
#[path = "build/guests.rs"]
mod guests;
#[path = "build/names.rs"]
mod names;
#[path = "src/with_files.rs"]
#[expect(
    unreachable_pub,
    reason = "the library shares this file and makes it public"
)]
mod with_files;

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/with_files.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let guests = guests::build();
    let mut names = names::Names::default();
    for guest in &guests {
        let module = fs::read(&guest.wasm)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", guest.wasm.display()));
        let write = |kind: &str, bytes: &[u8]| {
            let file = out.join(format!("{}.{kind}.wasm", guest.name));
            fs::write(&file, bytes).expect("OUT_DIR can be written");
            file
        };
        let wrap = |module: Vec<u8>| {
            component::wrap(module, guest.world.as_deref()).unwrap_or_else(|error| {
                panic!("cannot make a component of {}: {error:#}", guest.name)
            })
        };
        if guest.world.is_none() {
            let twin = with_files::with_files(&module);
            let twins = [
                write("with-files", &twin),
                write("with-files.component", &wrap(twin)),
            ];
            names.add_twins(guest, &twins);
        }
        names.add(guest, &write("component", &wrap(module)));
    }
    fs::write(out.join("names.rs"), names.print()).expect("OUT_DIR can be written");
}
