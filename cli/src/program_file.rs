//! Reads a program or another file that the user names, up to a limit.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use tenterhook_dispatch::MODULE_MAX_BYTES;
use tenterhook_engine::{Digest, Engine, Kind, Refusal, Survey};

/// Most bytes that any program may have, whatever its kind: the engine refuses larger
/// modules, so they are not even read.
const MAX_BYTES: u64 = MODULE_MAX_BYTES;

/// How much is read of a file that is too large for a program: enough to see what it is,
/// and more than the largest script.
const HEAD_BYTES: u64 = 128 << 10;

/// A program as it was read: the whole file, or the beginning of one that is too large.
pub(crate) struct ProgramFile {
    pub(crate) bytes: Vec<u8>,
    /// The size of the file.
    pub(crate) size: u64,
}

/// Reads a program; of a file that is too large for one, only the beginning.
pub(crate) fn read(path: &Path) -> anyhow::Result<ProgramFile> {
    let cannot = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(cannot)?;
    let metadata = file.metadata().with_context(cannot)?;
    if !metadata.is_file() || metadata.len() <= MAX_BYTES {
        let bytes = read_within(path, file, MAX_BYTES)?;
        let size = bytes.len() as u64;
        return Ok(ProgramFile { bytes, size });
    }
    let mut bytes = Vec::new();
    file.take(HEAD_BYTES)
        .read_to_end(&mut bytes)
        .with_context(cannot)?;
    Ok(ProgramFile {
        bytes,
        size: metadata.len(),
    })
}

impl ProgramFile {
    pub(crate) fn kind(&self) -> Kind {
        Kind::detect(&self.bytes)
    }

    /// The program's digest, if the whole file was read.
    pub(crate) fn digest(&self) -> Option<Digest> {
        self.is_whole().then(|| Digest::of(&self.bytes))
    }

    fn is_whole(&self) -> bool {
        self.bytes.len() as u64 == self.size
    }

    /// Checks what a server checks before it compiles, including its limit on size. A file
    /// that was not read whole is refused, for its own size or for what it is.
    pub(crate) fn survey(&self, module_bytes: u64) -> Result<Survey, Refusal> {
        let (kind, size) = (self.kind(), self.size);
        if kind != Kind::Script && size > module_bytes {
            let limit = module_bytes;
            return Err(Refusal::TooLarge { kind, size, limit });
        }
        Engine::survey(kind, &self.bytes).map_err(|refusal| match refusal {
            Refusal::TooLarge { kind, limit, .. } => Refusal::TooLarge { kind, size, limit },
            refusal => refusal,
        })
    }

    /// Returns the whole program.
    ///
    /// # Errors
    ///
    /// The file is too large for a program.
    pub(crate) fn whole(self, path: &Path) -> anyhow::Result<Vec<u8>> {
        if self.is_whole() {
            return Ok(self.bytes);
        }
        let cannot = || format!("cannot use {}", path.display());
        self.survey(MAX_BYTES).with_context(cannot)?;
        bail!("{}: it has {} bytes", cannot(), self.size)
    }
}

/// Reads a file of at most `limit` bytes. The error names the size of a larger one; only a
/// pipe has no size to be asked for.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
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
    read_within(path, file, limit)
}

/// Returns JSON without the byte order mark that some editors put before it. The server
/// ignores it as well.
pub(crate) fn without_bom(json: &[u8]) -> &[u8] {
    json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json)
}

fn read_within(path: &Path, file: File, limit: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", path.display()))?;
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
