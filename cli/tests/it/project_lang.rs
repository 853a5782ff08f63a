//! `new` in every language: the project builds and passes its own tests.
//!
//! Rust and shell are always there. The others run where their toolchain is;
//! `TENTERHOOK_EXAMPLES` names those that have to be.

use std::env;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project::Project;
use crate::tenterhook::{Finished, command};

/// Where `make toolchains` installs.
fn toolchains() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/toolchains")
}

/// A folder of this test run that stays for the next one.
fn kept(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A command of the project, with the environment that its toolchain needs.
fn with_toolchain(mut command: Command, project: &Project) -> Finished {
    let mut path = vec![
        toolchains().join("venv/bin"),
        toolchains().join("node_modules/.bin"),
    ];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    command
        .current_dir(&project.folder)
        .env("PATH", env::join_paths(path).unwrap())
        .env("CARGO_NET_OFFLINE", "true")
        .env("ZIG_GLOBAL_CACHE_DIR", toolchains().join("zig-cache"));
    for name in ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        if let Some(value) = env::var_os(name) {
            command.env(name, value);
        }
    }
    Finished::of(command.output().unwrap())
}

/// Builds a project and runs its tests.
fn builds_and_passes(project: &Project) {
    with_toolchain(command(["build"]), project).with_status(0);
    let result = with_toolchain(command(["test"]), project).with_status(0);
    assert!(result.stdout.ends_with("2 passed\n"), "{result:#?}");
}

/// The same if the toolchain is installed; reports it if not, and fails where it
/// has to be.
fn where_installed(lang: &str, example: &str, tool: &str) {
    let wanted = env::var_os("TENTERHOOK_EXAMPLES").unwrap_or_default();
    let wanted = wanted.to_string_lossy();
    let wanted = wanted.split([',', ' ']).any(|name| name == example);
    let installed = toolchains().join(tool).exists();
    assert!(
        installed || !wanted,
        "there is no target/toolchains/{tool}; `make toolchains` installs it"
    );
    if !installed {
        eprintln!("not tried, since there is no target/toolchains/{tool}; `make toolchains`");
        return;
    }
    let project = Project::new(lang);
    if project.folder.join("package.json").exists() {
        symlink(
            toolchains().join("node_modules"),
            project.folder.join("node_modules"),
        )
        .unwrap();
    }
    builds_and_passes(&project);
}

#[test]
fn a_shell_project_passes() {
    builds_and_passes(&Project::new("shell"));
}

/// Makes a Rust project, always at the same place for the same event, so that cargo
/// knows the vendored SDK again.
fn rust_project(event: &str) -> Project {
    let parent = kept("rust-projects").join(event);
    let _ = std::fs::remove_dir_all(parent.join("guard"));
    std::fs::create_dir_all(&parent).unwrap();
    let project = Project::in_folder(&parent, "rust", event);
    symlink(kept("rust-target"), project.folder.join("target")).unwrap();
    project
}

// One test, since both programs have the same place in the one target folder.
#[test]
fn rust_projects_pass_in_the_sandbox_and_natively() {
    builds_and_passes(&rust_project("custom.deployed"));
    let project = rust_project("PreFormatDisk");
    builds_and_passes(&project);
    let program = project
        .folder
        .join("target/wasm32-wasip1/release/hook.wasm");
    let size = std::fs::metadata(program).unwrap().len();
    assert!(size <= 120 << 10, "{size} bytes are too many for a hook");
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--target-dir", "target"]).env_clear();
    let result = with_toolchain(cargo, &project).with_status(0);
    assert!(result.stdout.contains("2 passed"), "{result:#?}");
}

#[test]
fn a_c_project_passes() {
    where_installed("c", "c", "venv/bin/zig");
}

#[test]
fn a_zig_project_passes() {
    where_installed("zig", "zig", "venv/bin/zig");
}

#[test]
fn an_assemblyscript_project_passes() {
    where_installed("as", "assemblyscript", "node_modules/.bin/asc");
}

#[test]
fn a_python_project_passes() {
    where_installed("python", "python", "venv/bin/componentize-py");
}

#[test]
fn a_javascript_project_passes() {
    where_installed("js", "javascript", "node_modules/.bin/componentize-qjs");
}
