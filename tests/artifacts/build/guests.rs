//! Builds the guests with a cargo of its own, in a target folder of its own:
//! sharing this build's folder would wait for its lock for ever.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const TARGET: &str = "wasm32-wasip1";
const PROFILE: &str = "guest";

/// Packages whose binaries are built, and the folders of their sources.
const PACKAGES: [(&str, &str); 4] = [
    ("tenterhook-tests-guests", "tests/guests"),
    ("volume-guard", "guest-examples/volume-guard"),
    ("audit-redaction", "guest-examples/audit-redaction"),
    (
        "maintenance-workflow",
        "guest-examples/maintenance-workflow",
    ),
];

/// One built guest.
pub(crate) struct Guest {
    /// Its file name without `.wasm`.
    pub(crate) name: String,
    pub(crate) wasm: PathBuf,
    /// What it imports beyond preview 1; such a guest is a component only.
    pub(crate) world: Option<PathBuf>,
}

/// Builds all packages; answers one guest for each binary, sorted by name.
pub(crate) fn build() -> Vec<Guest> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"))
        .ancestors()
        .nth(2)
        .expect("this package lies two folders below the workspace")
        .to_owned();
    for watched in [
        "Cargo.lock",
        "sdk/Cargo.toml",
        "sdk/src",
        "sdk/contract",
        "sdk/macros",
    ] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    let target = root.join("target/guests");
    run_cargo(&root, &target);
    let products = target.join(TARGET).join(PROFILE);
    let mut guests = Vec::new();
    for (package, folder) in PACKAGES {
        let folder = root.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        for name in binaries(package, &folder) {
            let wasm = products.join(format!("{name}.wasm"));
            let world = folder.join(format!("wit/{name}.wit"));
            let world = world.exists().then_some(world);
            guests.push(Guest { name, wasm, world });
        }
    }
    guests.sort_by(|a, b| a.name.cmp(&b.name));
    guests
}

fn run_cargo(root: &Path, target: &Path) {
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets it"));
    cargo.args([
        "build",
        "--locked",
        "--target",
        TARGET,
        "--profile",
        PROFILE,
    ]);
    for (package, _) in PACKAGES {
        cargo.args(["--package", package]);
    }
    let status = cargo
        .current_dir(root)
        .env("CARGO_TARGET_DIR", target)
        .env_remove("CARGO_BUILD_BUILD_DIR")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env("RUSTFLAGS", "")
        .status()
        .expect("cargo can be started");
    assert!(
        status.success(),
        "cannot build the guests; if their target is missing, run: rustup target add {TARGET}"
    );
}

/// The names of a package's binaries: one for each file in `src/bin`, or its own.
fn binaries(package: &str, folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder.join("src/bin")) else {
        return vec![package.to_owned()];
    };
    let stem = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("the folder can be read").path();
        let stem = path.file_stem().expect("an entry has a name");
        stem.to_string_lossy().into_owned()
    };
    entries.map(stem).collect()
}
