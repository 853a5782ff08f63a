//! The program that `run` and `check` are given: a file, read up to a bound.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};

/// Bytes beyond which no file is a program, whatever its kind: the engine refuses
/// larger modules, and so they are not even read.
const MAX_BYTES: u64 = 64 << 20;

/// Reads the file. What is longer than any program may be is cut one byte beyond
/// that bound, for the engine to refuse.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    read_at_most(path, MAX_BYTES + 1)
}

/// Reads a file that must not be longer than `limit` bytes.
pub(crate) fn read_within(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let bytes = read_at_most(path, limit + 1)?;
    if bytes.len() as u64 > limit {
        bail!(
            "cannot use {}: it has more than {limit} bytes",
            path.display()
        );
    }
    Ok(bytes)
}

fn read_at_most(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(cannot)?;
    let mut bytes = Vec::new();
    file.take(limit)
        .read_to_end(&mut bytes)
        .with_context(cannot)?;
    Ok(bytes)
}

/// The name under which a program knows itself: the file's own.
pub(crate) fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
