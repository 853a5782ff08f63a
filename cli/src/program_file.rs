//! Reads a program or another file that the user names, up to a limit.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};

/// Most bytes that any program may have, whatever its kind: the engine refuses larger
/// modules, so they are not even read.
const MAX_BYTES: u64 = 64 << 20;

/// Reads a program.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    read_within(path, MAX_BYTES)
}

/// Reads a file of at most `limit` bytes. Of a larger one nothing is kept, and the error
/// says how large it is; only a pipe has no size to be asked for.
pub(crate) fn read_within(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(cannot)?;
    let metadata = file.metadata().with_context(cannot)?;
    if metadata.is_file() && metadata.len() > limit {
        bail!(
            "cannot use {}: it has {} bytes; at most {limit} are accepted",
            path.display(),
            metadata.len()
        );
    }
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .with_context(cannot)?;
    if bytes.len() as u64 > limit {
        bail!(
            "cannot use {}: it has more than the {limit} bytes that are accepted",
            path.display()
        );
    }
    Ok(bytes)
}

/// Returns a program's `argv[0]`: its file name.
pub(crate) fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
