//! Creates the shell image: the shell guest, pre-initialised and compiled to machine code,
//! for the engine to embed.

#[path = "src/bulk.rs"]
mod bulk;
#[path = "src/runtime/config.rs"]
mod config;
#[path = "build/image.rs"]
mod image;

use std::path::PathBuf;
use std::{env, fs};

use sha2::{Digest as _, Sha256};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/bulk.rs");
    println!("cargo::rerun-if-changed=src/bulk");
    println!("cargo::rerun-if-changed=src/runtime/config.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let guest = tenterhook_guest::PATH;
    println!("cargo::rerun-if-changed={guest}");
    let bytes = fs::read(guest)
        .unwrap_or_else(|error| panic!("cannot read the shell guest {guest}: {error}"));
    let code = image::make(&bytes);
    let hex: String = Sha256::digest(&code)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    fs::write(out.join("shell.cwasm"), &code).expect("OUT_DIR can be written");
    fs::write(out.join("shell.digest"), format!("sha256:{hex}")).expect("OUT_DIR can be written");
}
