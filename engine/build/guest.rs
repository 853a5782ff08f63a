//! Builds the shell guest with a cargo of its own.
//!
//! The guest is a workspace of its own, with its own lock file and target folder:
//! sharing this build's folder would wait for its lock for ever.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const TARGET: &str = "wasm32-wasip1";

/// Builds the guest, or takes the one that `TENTERHOOK_SHELL_WASM` names.
pub(crate) fn build(out: &Path) -> PathBuf {
    println!("cargo::rerun-if-env-changed=TENTERHOOK_SHELL_WASM");
    if let Some(ready) = env::var_os("TENTERHOOK_SHELL_WASM") {
        let ready = PathBuf::from(ready);
        println!("cargo::rerun-if-changed={}", ready.display());
        return ready;
    }
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("..");
    let shell = root.join("shell");
    for source in ["Cargo.toml", "Cargo.lock", "src"] {
        println!("cargo::rerun-if-changed={}", shell.join(source).display());
    }
    println!("cargo::rerun-if-changed={}", root.join("sdk/src").display());
    let target = target_folder(out, &shell);
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

/// The guest's own target folder, so that both profiles of the engine share one
/// build of it. A packaged or read-only tree builds under `OUT_DIR` instead.
fn target_folder(out: &Path, shell: &Path) -> PathBuf {
    let beside = shell.join("target");
    match fs::create_dir_all(&beside) {
        Ok(()) => beside,
        Err(_) => out.join("shell-target"),
    }
}
