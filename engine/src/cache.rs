//! Compiled code on disk, so that a program is compiled once and then mapped.
//!
//! Loading compiled code runs it: a file that somebody else wrote would be
//! native code of theirs. So the folder belongs to this user alone, a file is
//! complete before it has its name, and nobody changes one afterwards.

use std::fs::{self, DirBuilder, OpenOptions};
use std::hash::{Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::error::Error;

/// Counts how programs are prepared before they are compiled: raised whenever that
/// changes. See [`bulk`](crate::bulk).
const PREPARED: u32 = 1;

/// A folder of compiled code for one build of the engine.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    folder: Option<PathBuf>,
    /// Tells builds and settings of the compiler apart.
    build: u64,
}

impl Cache {
    /// Opens the folder, or works without one.
    pub(crate) fn open(folder: Option<PathBuf>, wasm: &wasmtime::Engine) -> Result<Self, Error> {
        if let Some(folder) = &folder {
            private_folder(folder).map_err(|source| Error::Cache {
                path: folder.clone(),
                source,
            })?;
        }
        let mut hasher = std::hash::DefaultHasher::new();
        wasm.precompile_compatibility_hash().hash(&mut hasher);
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        PREPARED.hash(&mut hasher);
        Ok(Self {
            folder,
            build: hasher.finish(),
        })
    }

    /// The file with the code for this program, whether or not it is there.
    pub(crate) fn file(&self, digest: Digest) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        Some(folder.join(format!("{}-{:016x}.cwasm", digest.hex(), self.build)))
    }

    /// Whether there is code for this program.
    pub(crate) fn has(&self, digest: Digest) -> bool {
        self.file(digest).is_some_and(|file| file.exists())
    }

    /// Keeps code under its name. A code that cannot be kept is compiled again
    /// next time, which is worth a warning and nothing more.
    pub(crate) fn keep(&self, digest: Digest, code: &[u8]) -> Option<PathBuf> {
        let file = self.file(digest)?;
        match write_whole(&file, code) {
            Ok(()) => Some(file),
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "cannot keep compiled code");
                None
            }
        }
    }
}

/// Makes the folder, or checks that nobody else can write into it.
fn private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let found = fs::metadata(folder)?;
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    if !ours || found.mode() & 0o022 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the folder must belong to this user, and nobody else may write into it",
        ));
    }
    Ok(())
}

fn write_whole(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file
        .parent()
        .expect("a cache file lies in the cache's folder");
    let part = tempfile::Builder::new()
        .prefix(".part-")
        .make_in(folder, |path| {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o400)
                .open(path)
        })?;
    part.as_file().write_all(bytes)?;
    part.as_file().sync_all()?;
    part.persist(file).map_err(|error| error.error)?;
    Ok(())
}
