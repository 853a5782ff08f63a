//! Builds the shell guest with a cargo of its own.
//!
//! The guest is a workspace of its own, with its own lock file and target folder: sharing
//! this build's folder would deadlock on its lock. Both cargos share one jobserver.
//!
//! `TENTERHOOK_SHELL_WASM` names a ready `tenterhook_shell.wasm` to use instead.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-wasip1";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let guest = guest(&out);
    println!(
        "cargo::rustc-env=TENTERHOOK_SHELL_GUEST={}",
        guest.display()
    );
}

/// Builds the guest, or uses the one that was named.
fn guest(out: &Path) -> PathBuf {
    println!("cargo::rerun-if-env-changed=TENTERHOOK_SHELL_WASM");
    if let Some(ready) = env::var_os("TENTERHOOK_SHELL_WASM") {
        let ready = PathBuf::from(ready);
        println!("cargo::rerun-if-changed={}", ready.display());
        return ready;
    }
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let shell = here.join("../shell");
    for source in ["Cargo.toml", "Cargo.lock", "src", "../../sdk/contract"] {
        println!("cargo::rerun-if-changed={}", shell.join(source).display());
    }
    let target = target_folder(out);
    let status = Command::new(env::var_os("CARGO").expect("cargo sets it"))
        .args([
            "build",
            "--release",
            "--locked",
            "--target",
            TARGET,
            "--manifest-path",
        ])
        .arg(shell.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", &target)
        .env_remove("CARGO_BUILD_BUILD_DIR")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env("RUSTFLAGS", "")
        .status()
        .expect("cargo can be started");
    assert!(
        status.success(),
        "cannot build the shell guest; if its target is missing, run: rustup target add {TARGET}"
    );
    target.join(TARGET).join("release/tenterhook_shell.wasm")
}

/// Returns `shell` in this build's target folder, so that both profiles of the engine
/// share one build of the guest and nothing is written to the sources. `out` is
/// `TARGET/PROFILE/build/PACKAGE-HASH/out`; if it is not, the guest is built in `out`.
fn target_folder(out: &Path) -> PathBuf {
    let is_cargos = |folder: &Path| folder.file_name().is_some_and(|name| name == "build");
    match (out.ancestors().nth(2), out.ancestors().nth(4)) {
        (Some(build), Some(target)) if is_cargos(build) => target.join("shell"),
        _ => out.join("shell-target"),
    }
}
