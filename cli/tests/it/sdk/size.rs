//! Small hooks are small, for both targets.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::run_for;

/// Most that a hook of a few lines may have, in bytes.
const MOST_BYTES: u64 = 120 * 1024;

/// Builds the guests for a target in the profile of small hooks; returns the folder
/// of the products.
fn build(target: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("target/guests");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--profile", "small"])
        .args(["--package", "tenterhook-tests-guests"])
        .args(["--bin", "sdk_hello", "--bin", "sdk_allow"])
        .args(["--target", target, "--target-dir"])
        .arg(&folder)
        .current_dir(&root)
        .env_remove("CARGO_BUILD_BUILD_DIR")
        .env("RUSTFLAGS", "")
        .status()
        .unwrap();
    assert!(
        status.success(),
        "cannot build for {target}; if it is missing, run: rustup target add {target}"
    );
    folder.join(target).join("small")
}

#[test]
fn a_hook_of_a_few_lines_has_less_than_120_kib() {
    let folder = build("wasm32-wasip1");
    for hook in ["sdk_hello.wasm", "sdk_allow.wasm"] {
        let bytes = folder.join(hook).metadata().unwrap().len();
        assert!(bytes <= MOST_BYTES, "{hook} has {bytes} bytes");
    }
}

#[test]
fn the_same_source_is_a_component_for_the_other_target() {
    let hook = build("wasm32-wasip2").join("sdk_allow.wasm");
    let run = |event| run_for(event, hook.to_str().unwrap());
    let (result, verdict) = run("PreFormatDisk");
    assert_eq!(result.with_status(0).stdout, "hello /dev/sdc\n");
    assert_eq!(verdict["allow"], true);
    // Its interface knows no other status than 1.
    let (result, _) = run("OnAudit");
    result
        .with_status(1)
        .with_stderr("error: this hook is for PreFormatDisk");
}
