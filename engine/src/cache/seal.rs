//! The seal that follows compiled code in its file, so that nothing else is loaded.
//!
//! It records what the code was compiled from and by, and proves that this installation
//! wrote it. It comes after the code, not before it, because the code is mapped from the
//! beginning of its file. It does not protect against a reader of the key.

use std::fmt;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use sha2::{Digest as _, Sha256};
use tenterhook_admission::Kind;

use super::key::{Key, MAC_BYTES};
use crate::digest::Digest;

/// Must be raised whenever the same bytes, compiled by the same compiler, are to result in
/// other code: when the engine changes what it passes to the compiler. See
/// [`bulk`](crate::bulk) and [`transfer`](crate::transfer).
const FORM: u32 = 3;

/// The first bytes of a seal.
const MAGIC: &[u8; 8] = b"tntrseal";

/// The version of the seal's own layout.
const LAYOUT: u32 = 1;

/// Magic, layout, kind, build, program, length of the code, digest of the code.
const FIELDS_BYTES: usize = 8 + 4 + 4 + 32 + 32 + 8 + 32;

/// Bytes of a whole seal.
pub(super) const SEAL_BYTES: usize = FIELDS_BYTES + MAC_BYTES;

/// Bytes that are read and hashed at a time: they stay in a core's own cache.
const PIECE_BYTES: usize = 128 << 10;

/// Which compiler produced the code, its settings, and what it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Build([u8; 32]);

impl Build {
    /// Returns the build of this engine.
    pub(super) fn of(wasm: &wasmtime::Engine) -> Self {
        let mut hasher = Sha256Hasher(Sha256::new());
        wasm.precompile_compatibility_hash().hash(&mut hasher);
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        FORM.hash(&mut hasher);
        Self(hasher.0.finalize().into())
    }

    /// Returns a short form that distinguishes builds in the names of files.
    pub(super) fn short(&self) -> u64 {
        let first = self.0.first_chunk().expect("there are 32 bytes");
        u64::from_be_bytes(*first)
    }
}

/// Adapts SHA-256 to `Hash` implementations.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash: [u8; 32] = self.0.clone().finalize().into();
        Build(hash).short()
    }
}

/// What code was compiled from and by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) build: Build,
    pub(super) kind: Kind,
    pub(super) program: Digest,
}

/// Why the code in a file must not be loaded.
#[derive(Debug)]
pub(super) enum SealFault {
    /// It is not a regular file of this user, or others may write to it.
    Owner,
    /// It cannot be read.
    Unreadable(io::Error),
    /// It is too short for a seal.
    Short,
    /// The key does not match: written by another installation, or changed since.
    Foreign,
    /// This installation wrote it for another program or build.
    Other,
    /// The seal is valid, but the code is not intact.
    Damaged,
}

impl fmt::Display for SealFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner => f.write_str("it is not a file of this user alone"),
            Self::Unreadable(error) => write!(f, "it cannot be read: {error}"),
            Self::Short => f.write_str("it was truncated"),
            Self::Foreign => f.write_str("it was changed, or written by another installation"),
            Self::Other => f.write_str("it belongs to another program or build"),
            Self::Damaged => f.write_str("its code was changed"),
        }
    }
}

impl From<io::Error> for SealFault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Short,
            _ => Self::Unreadable(error),
        }
    }
}

/// Returns the seal for this code.
pub(super) fn seal(key: &Key, origin: &Origin, code: &[u8]) -> [u8; SEAL_BYTES] {
    let fields = fields(origin, code.len() as u64, Sha256::digest(code).into());
    let mut seal = [0; SEAL_BYTES];
    seal[..FIELDS_BYTES].copy_from_slice(&fields);
    seal[FIELDS_BYTES..].copy_from_slice(&key.sign(&fields));
    seal
}

/// Checks that a file holds the complete code of this origin, as it was written, and
/// nothing else.
pub(super) fn check(key: &Key, origin: &Origin, file: &File) -> Result<(), SealFault> {
    let found = file.metadata()?;
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    if !found.is_file() || !ours || found.mode() & 0o022 != 0 {
        return Err(SealFault::Owner);
    }
    let length = found
        .len()
        .checked_sub(SEAL_BYTES as u64)
        .ok_or(SealFault::Short)?;
    let mut seal = [0; SEAL_BYTES];
    file.read_exact_at(&mut seal, length)?;
    let (sealed, mac) = seal.split_at(FIELDS_BYTES);
    // The key first: nothing else in the file means anything before that.
    if !key.verifies(sealed, mac) {
        return Err(match sealed.starts_with(MAGIC) {
            true => SealFault::Foreign,
            false => SealFault::Short,
        });
    }
    let (sealed, digest) = sealed.split_at(FIELDS_BYTES - 32);
    let expected = fields(origin, length, [0; 32]);
    if sealed != &expected[..FIELDS_BYTES - 32] {
        return Err(SealFault::Other);
    }
    match hash(file, length)? == digest {
        true => Ok(()),
        false => Err(SealFault::Damaged),
    }
}

fn fields(origin: &Origin, length: u64, digest: [u8; 32]) -> [u8; FIELDS_BYTES] {
    let kind: u32 = match origin.kind {
        Kind::Module => 1,
        Kind::Component => 2,
        Kind::Script => 3,
    };
    let mut fields = [0; FIELDS_BYTES];
    let mut rest = &mut fields[..];
    for part in [
        &MAGIC[..],
        &LAYOUT.to_le_bytes(),
        &kind.to_le_bytes(),
        &origin.build.0,
        origin.program.as_bytes(),
        &length.to_le_bytes(),
        &digest,
    ] {
        let (into, after) = rest.split_at_mut(part.len());
        into.copy_from_slice(part);
        rest = after;
    }
    debug_assert!(rest.is_empty(), "the fields fill their place");
    fields
}

fn hash(file: &File, length: u64) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    let mut at = 0;
    while at < length {
        let left = usize::try_from(length - at).unwrap_or(usize::MAX);
        let piece = &mut piece[..left.min(PIECE_BYTES)];
        file.read_exact_at(piece, at)?;
        hash.update(&*piece);
        at += piece.len() as u64;
    }
    Ok(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn origin() -> Origin {
        Origin {
            build: Build([1; 32]),
            kind: Kind::Module,
            program: Digest::of(b"program"),
        }
    }

    #[test]
    fn a_seal_matches_only_its_own_code_origin_and_key() {
        let folder = tempfile::tempdir().unwrap();
        let [key, other_key] = ["a", "b"].map(|name| Key::open(&folder.path().join(name)).unwrap());
        let code = vec![7; 3 * PIECE_BYTES + 5];
        let sealed = |key: &Key, origin: &Origin, code: &[u8]| {
            let mut file = tempfile::tempfile_in(&folder).unwrap();
            file.write_all(code).unwrap();
            file.write_all(&seal(key, origin, code)).unwrap();
            file
        };
        let own = origin();
        check(&key, &own, &sealed(&key, &own, &code)).unwrap();
        check(&key, &own, &sealed(&key, &own, b"")).unwrap();
        for other in [
            Origin {
                build: Build([2; 32]),
                ..own
            },
            Origin {
                kind: Kind::Component,
                ..own
            },
            Origin {
                program: Digest::of(b"another"),
                ..own
            },
        ] {
            let fault = check(&key, &own, &sealed(&key, &other, &code));
            assert!(matches!(fault, Err(SealFault::Other)), "{fault:?}");
        }
        let fault = check(&key, &own, &sealed(&other_key, &own, &code));
        assert!(matches!(fault, Err(SealFault::Foreign)), "{fault:?}");
        let damaged = sealed(&key, &own, &code);
        damaged.write_all_at(b"8", PIECE_BYTES as u64).unwrap();
        let fault = check(&key, &own, &damaged);
        assert!(matches!(fault, Err(SealFault::Damaged)), "{fault:?}");
    }
}
