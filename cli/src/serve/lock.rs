//! A lock that only one server can hold: an advisory lock on a file, which the kernel
//! releases however the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or reports its holder. The file is never removed.
    pub(super) fn take(path: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("cannot lock {}", path.display());
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .with_context(cannot)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "cannot lock {}: it is in use by another server{}",
                path.display(),
                holder(&mut file)
            ),
            Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
        }
        // Only for the message above; a lock without it is a lock.
        let _ = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .and_then(|()| file.rewind());
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.take(20).read_to_string(&mut text);
    text.trim()
        .parse::<u32>()
        .map_or_else(|_| String::new(), |id| format!(" (process {id})"))
}
