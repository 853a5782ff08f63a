//! The rights of preview 1. What a descriptor is for decides; the bits only tell it.

use tenterhook_machine::Kind;

pub(super) const FD_READ: u64 = 1 << 1;
pub(super) const FD_WRITE: u64 = 1 << 6;
pub(super) const FD_SEEK: u64 = 1 << 2;
pub(super) const FD_TELL: u64 = 1 << 5;
pub(super) const FD_READDIR: u64 = 1 << 14;

/// What may be done with folders: everything that takes a path, and reading them. The size
/// of a file is set by opening it, which is no right of its own here.
const FOLDER: u64 = 1 << 0
    | 1 << 3
    | 1 << 4
    | 1 << 9
    | 1 << 10
    | 1 << 11
    | 1 << 12
    | 1 << 13
    | FD_READDIR
    | 1 << 15
    | 1 << 16
    | 1 << 17
    | 1 << 18
    | 1 << 20
    | 1 << 21
    | 1 << 23
    | 1 << 24
    | 1 << 25
    | 1 << 26
    | 1 << 27;

/// What may be done with files.
const FILE: u64 = 1 << 0
    | FD_READ
    | FD_SEEK
    | 1 << 3
    | 1 << 4
    | FD_TELL
    | FD_WRITE
    | 1 << 7
    | 1 << 8
    | 1 << 21
    | 1 << 22
    | 1 << 23
    | 1 << 27;

/// What may be done with a stream.
const STREAM: u64 = FD_READ | 1 << 3 | FD_WRITE | 1 << 21 | 1 << 27;

/// Returns the rights that make sense for a kind of file.
pub(super) fn of(kind: Kind) -> u64 {
    match kind {
        Kind::Folder => FOLDER,
        Kind::File | Kind::Link => FILE,
        // With a position: what has none is taken for a terminal.
        Kind::Device(_) => STREAM | FD_SEEK | FD_TELL,
    }
}

/// The rights of standard input.
pub(super) const STDIN: u64 = STREAM & !FD_WRITE;

/// The rights of standard output and standard error.
pub(super) const OUTPUT: u64 = STREAM & !FD_READ;
