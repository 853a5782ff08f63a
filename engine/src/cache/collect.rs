//! Keeps the folder of compiled code within its bound.
//!
//! Code is removed with its program; beyond that, the least recently used code is removed
//! until the rest fits. Nothing here decides about programs: the caller knows which ones
//! were deleted.

use std::io;
use std::time::{Duration, SystemTime};

use cap_std::fs::{DirEntry, Metadata, MetadataExt as _};
use rustix::fs::FlockOperation;
use tenterhook_ledger::{Holder, Resource};

use super::{CacheFolder, lock, open_unlocked, part};
use crate::digest::Digest;

/// How long unused code of another build is kept: where two versions of this program are
/// in use, both are used more often, and after an update the old one is not.
const OTHER_BUILDS_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// One file of compiled code.
struct Code {
    name: String,
    program: Digest,
    bytes: u64,
    used_at: SystemTime,
    good_for: Use,
}

/// What code can still be used for; the least useful is removed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// Nothing: its program was deleted, or its build is no longer in use.
    None,
    /// Another build may load it.
    OtherBuild,
    /// This build can load it.
    OwnBuild,
}

impl CacheFolder {
    pub(super) fn programs(&self) -> Vec<Digest> {
        let mut programs: Vec<_> = self.codes(&[]).iter().map(|code| code.program).collect();
        programs.sort_unstable();
        programs.dedup();
        programs
    }

    pub(super) fn collect(&self, gone: &[Digest]) {
        let mut codes = self.codes(gone);
        codes.sort_by_key(|code| (code.good_for, code.used_at));
        let mut left: u64 = codes.iter().map(|code| code.bytes).sum();
        for code in &codes {
            if left <= self.bytes && code.good_for != Use::None {
                break;
            }
            if self.remove_unused(&code.name) {
                tracing::debug!(program = %code.program, bytes = code.bytes, "removed compiled code");
                left -= code.bytes;
            }
        }
        self.ledger.record(Holder::Operator, Resource::Disk, left);
    }

    /// Removes what interrupted writers left.
    pub(super) fn remove_parts(&self) {
        for entry in self.entries() {
            if let Some(name) = name_of(&entry).filter(|name| name.starts_with(part::PREFIX)) {
                self.remove_unused(&name);
            }
        }
    }

    fn codes(&self, gone: &[Digest]) -> Vec<Code> {
        let now = SystemTime::now();
        self.entries()
            .filter_map(|entry| {
                let found = entry.metadata().ok()?;
                let name = name_of(&entry)?;
                let program = program_of(&name)?;
                let used_at = found.accessed().map(cap_std::time::SystemTime::into_std);
                let used_at = used_at.unwrap_or(SystemTime::UNIX_EPOCH);
                let is_old = || {
                    let unused = now.duration_since(used_at);
                    unused.is_ok_and(|unused| unused > OTHER_BUILDS_KEPT)
                };
                let good_for = match self.name(program) == name {
                    _ if gone.contains(&program) => Use::None,
                    true => Use::OwnBuild,
                    false if is_old() => Use::None,
                    false => Use::OtherBuild,
                };
                Some(Code {
                    bytes: size_on_disk(&found),
                    name,
                    program,
                    used_at,
                    good_for,
                })
            })
            .collect()
    }

    fn entries(&self) -> impl Iterator<Item = DirEntry> {
        let entries = self.dir.entries();
        if let Err(error) = &entries {
            tracing::warn!(folder = %self.folder.display(), %error, "cannot list compiled code");
        }
        entries.into_iter().flatten().filter_map(Result::ok)
    }

    /// Removes a file unless it is open to be mapped or written. Returns whether it no longer
    /// exists.
    fn remove_unused(&self, name: &str) -> bool {
        let remove = || match open_unlocked(&self.dir, name) {
            // The lock is held until the name is gone: a process that opens it meanwhile
            // waits, and then maps a file without a name, which works as well.
            Ok(file) => {
                lock(&file, FlockOperation::NonBlockingLockExclusive)?;
                self.dir.remove_file(name)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
            // What cannot be opened is not mapped anywhere.
            Err(_) => self.dir.remove_file(name),
        };
        match remove() {
            Ok(()) => true,
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) => {
                let file = self.folder.join(name);
                tracing::warn!(file = %file.display(), %error, "cannot remove compiled code");
                false
            }
        }
    }
}

/// Returns the name of an entry, if it is text as all of ours are.
fn name_of(entry: &DirEntry) -> Option<String> {
    entry.file_name().into_string().ok()
}

/// Returns the program whose code a file is named for, of any build.
fn program_of(name: &str) -> Option<Digest> {
    let (program, build) = name.strip_suffix(".cwasm")?.split_once('-')?;
    (build.len() == 16).then(|| format!("sha256:{program}").parse().ok())?
}

/// Returns the space that a file takes on disk, which counts in blocks of 512 bytes.
fn size_on_disk(found: &Metadata) -> u64 {
    found.len().max(found.blocks().saturating_mul(512))
}
