//! Compiled code on disk, so that a program is compiled once and then mapped.
//!
//! Loading compiled code means trusting it: a file from another user would be their
//! native code, and a damaged one does whatever its bits say. So each file ends with a
//! seal, which is checked before anything is mapped; a file that fails is removed, and
//! its program is compiled again. The folder belongs to this user alone, a file is
//! complete before it gets its name, and files are never modified.
//!
//! Everything here goes through the folder that was opened and checked at the start: what
//! is put in its place later is not touched, and no name leads out of it.

mod collect;
mod key;
mod part;
mod seal;

use std::fs::{DirBuilder, File, FileTimes};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::fs::{FlockOperation, OFlags, flock};
use tenterhook_admission::Kind;
use tenterhook_ledger::{Ledger, Resource};

use self::key::Key;
use self::part::Part;
use self::seal::{Build, Origin, SealFault};
use crate::digest::Digest;
use crate::error::Error;

/// Where compiled code is kept, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeCache {
    /// The folder; it must be private to this user. Several processes may share it.
    pub folder: PathBuf,
    /// A file outside the folder with the key that seals the code; created if missing.
    pub key: PathBuf,
    /// The bytes that the folder may hold.
    pub bytes: u64,
}

impl CodeCache {
    /// The least that is worth having: the code of a program of 12 MiB.
    pub const LEAST_BYTES: u64 = 64 << 20;

    /// The most that is kept unless an operator configures more: the code of a few
    /// thousand programs of the usual size.
    const USUAL_MOST_BYTES: u64 = 8 << 30;

    /// Returns the default bound: an eighth of the usable disk. The cache only saves
    /// time, so most of the disk is for data.
    #[must_use]
    pub fn default_bytes(ledger: &Ledger) -> u64 {
        let levels = ledger.levels();
        let disk = levels
            .iter()
            .find(|level| level.resource == Resource::Disk)
            .map_or(u64::MAX, |level| level.total);
        (disk / 8).clamp(Self::LEAST_BYTES, Self::USUAL_MOST_BYTES)
    }
}

/// The compiled code that is kept, if any is.
pub(crate) struct Cache(Option<CacheFolder>);

struct CacheFolder {
    dir: Dir,
    /// Where it was opened, for people.
    folder: PathBuf,
    bytes: u64,
    key: Key,
    build: Build,
    ledger: Ledger,
}

impl Cache {
    /// Opens the folder, or works without one. Removes what interrupted writers left
    /// there.
    pub(crate) fn open(
        settings: Option<CodeCache>,
        wasm: &wasmtime::Engine,
        ledger: &Ledger,
    ) -> Result<Self, Error> {
        let Some(CodeCache { folder, key, bytes }) = settings else {
            return Ok(Self(None));
        };
        let cannot = |path: &Path| {
            let path = path.to_owned();
            |source| Error::Cache { path, source }
        };
        let dir = private_folder(&folder).map_err(cannot(&folder))?;
        let key = open_key(&folder, &key).map_err(cannot(&key))?;
        let kept = CacheFolder {
            dir,
            folder,
            bytes,
            key,
            build: Build::of(wasm),
            ledger: ledger.clone(),
        };
        kept.remove_parts();
        kept.collect(&[]);
        Ok(Self(Some(kept)))
    }

    /// Finds code for this program that may be mapped: its seal was checked. It counts
    /// as in use, and is not removed, as long as the file is open.
    pub(crate) fn find(&self, kind: Kind, program: Digest) -> Option<File> {
        self.0.as_ref()?.find(kind, program)
    }

    /// Stores code, and opens it as [`find`](Self::find) does. Code that cannot be
    /// stored is compiled again next time, which is worth a warning and nothing more.
    pub(crate) fn keep(&self, kind: Kind, program: Digest, code: &[u8]) -> Option<File> {
        self.0.as_ref()?.keep(kind, program, code)
    }

    /// Removes code that could not be used although its seal was valid.
    pub(crate) fn discard(&self, program: Digest, reason: &dyn std::fmt::Display) {
        if let Some(kept) = &self.0 {
            kept.discard(&kept.name(program), reason);
        }
    }

    /// Returns the programs that have code here.
    pub(crate) fn programs(&self) -> Vec<Digest> {
        self.0
            .as_ref()
            .map(CacheFolder::programs)
            .unwrap_or_default()
    }

    /// Removes the code of deleted programs, and then the least recently used code until
    /// the rest fits; never code that is in use.
    pub(crate) fn collect(&self, gone: &[Digest]) {
        if let Some(kept) = &self.0 {
            kept.collect(gone);
        }
    }
}

impl CacheFolder {
    /// Returns the name of the file with a program's code for this build.
    fn name(&self, program: Digest) -> String {
        let build = self.build.short();
        format!("{}-{build:016x}.cwasm", program.hex())
    }

    fn origin(&self, kind: Kind, program: Digest) -> Origin {
        Origin {
            build: self.build,
            kind,
            program,
        }
    }

    fn find(&self, kind: Kind, program: Digest) -> Option<File> {
        let name = self.name(program);
        let file = match open(&self.dir, &name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                self.discard(&name, &SealFault::from(error));
                return None;
            }
        };
        if let Err(fault) = seal::check(&self.key, &self.origin(kind, program), &file) {
            self.discard(&name, &fault);
            return None;
        }
        // This records the last use. The modification time stays.
        let _ = file.set_times(FileTimes::new().set_accessed(SystemTime::now()));
        Some(file)
    }

    fn keep(&self, kind: Kind, program: Digest, code: &[u8]) -> Option<File> {
        if code.len() as u64 > self.bytes {
            tracing::warn!(
                %program, bytes = code.len(), bound = self.bytes,
                "compiled code is larger than the whole cache and is not kept"
            );
            return None;
        }
        let name = self.name(program);
        let seal = seal::seal(&self.key, &self.origin(kind, program), code);
        match self.write(&name, code, &seal) {
            Ok(file) => {
                self.collect(&[]);
                Some(file)
            }
            Err(error) => {
                let file = self.folder.join(name);
                tracing::warn!(file = %file.display(), %error, "cannot keep compiled code");
                None
            }
        }
    }

    /// Writes a file that is complete, and on disk, before it gets its name. It is opened
    /// again for reading, so that nothing in this process can write through the result.
    fn write(&self, name: &str, code: &[u8], seal: &[u8]) -> io::Result<File> {
        let part = Part::create(&self.dir)?;
        // Locked while it is written: a part that is not locked was left behind.
        lock(part.file(), FlockOperation::NonBlockingLockExclusive)?;
        part.file().write_all(code)?;
        part.file().write_all(seal)?;
        part.file().sync_all()?;
        let read = open_unlocked(&self.dir, part.name())?;
        part.keep_as(name)?;
        // The writer's lock is gone with its descriptor.
        lock(&read, FlockOperation::LockShared)?;
        Ok(read)
    }

    fn discard(&self, name: &str, reason: &dyn std::fmt::Display) {
        let file = self.folder.join(name);
        tracing::warn!(
            file = %file.display(), %reason,
            "removing compiled code that cannot be trusted; its program is recompiled"
        );
        // A process that has it mapped keeps it. A folder of that name is not ours.
        let removed = self.dir.remove_file(name);
        match removed.or_else(|_| self.dir.remove_dir_all(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(file = %file.display(), %error, "cannot remove compiled code");
            }
            _ => {}
        }
    }
}

/// Opens code to be mapped, and marks it as in use as long as it is open.
fn open(dir: &Dir, name: &str) -> io::Result<File> {
    let file = open_unlocked(dir, name)?;
    lock(&file, FlockOperation::LockShared)?;
    Ok(file)
}

fn open_unlocked(dir: &Dir, name: &str) -> io::Result<File> {
    // A symbolic link would lead elsewhere, and a pipe would wait for a writer.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags.bits().cast_signed());
    dir.open_with(name, &options)
        .map(cap_std::fs::File::into_std)
}

/// Locks a file against other processes, and other parts of this one. Where the file
/// system has no locks, code that is in use may be removed, and is compiled again when it
/// is next needed.
fn lock(file: &File, how: FlockOperation) -> io::Result<()> {
    use rustix::io::Errno;
    match rustix::io::retry_on_intr(|| flock(file, how)) {
        // Over NFS an exclusive lock needs a file that is open for writing.
        Ok(()) | Err(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS | Errno::BADF) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Opens the folder, and creates it if it is missing. No other user can write into it.
fn private_folder(folder: &Path) -> io::Result<Dir> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let dir = Dir::open_ambient_dir(folder, ambient_authority())?;
    let found = dir.dir_metadata()?;
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    if !ours || found.mode() & 0o022 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the folder must belong to this user and must not be writable by others",
        ));
    }
    Ok(dir)
}

/// Opens the key, which must not be in the folder: a copy of the folder would include it.
fn open_key(folder: &Path, key: &Path) -> io::Result<Key> {
    let folder = folder.canonicalize()?;
    let opened = Key::open(key)?;
    if key.canonicalize()?.starts_with(folder) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the key must be outside the folder of the code that it seals",
        ));
    }
    Ok(opened)
}
