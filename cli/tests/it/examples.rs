//! The hooks in `guest-examples` run as they stand, and do what they are for.

mod languages;
mod shell;
mod table;

use std::path::{Path, PathBuf};

/// A file or folder of the repository.
fn root(path: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
