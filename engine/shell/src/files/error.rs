//! The errors of the file system, in the words that a Unix prints.

use std::io::{Error, ErrorKind};

fn error(kind: ErrorKind, text: &'static str) -> bashkit::Error {
    Error::new(kind, text).into()
}

pub(super) fn not_found() -> bashkit::Error {
    error(ErrorKind::NotFound, "No such file or directory")
}

pub(super) fn exists() -> bashkit::Error {
    error(ErrorKind::AlreadyExists, "File exists")
}

pub(super) fn is_a_directory() -> bashkit::Error {
    error(ErrorKind::IsADirectory, "Is a directory")
}

pub(super) fn not_a_directory() -> bashkit::Error {
    error(ErrorKind::NotADirectory, "Not a directory")
}

pub(super) fn not_empty() -> bashkit::Error {
    error(ErrorKind::DirectoryNotEmpty, "Directory not empty")
}

pub(super) fn no_space() -> bashkit::Error {
    error(ErrorKind::StorageFull, "No space left on device")
}

pub(super) fn no_memory() -> bashkit::Error {
    error(ErrorKind::OutOfMemory, "Cannot allocate memory")
}

pub(super) fn name_too_long() -> bashkit::Error {
    error(ErrorKind::InvalidFilename, "File name too long")
}

pub(super) fn sealed() -> bashkit::Error {
    error(ErrorKind::PermissionDenied, "Read-only file system")
}

pub(super) fn busy() -> bashkit::Error {
    error(ErrorKind::ResourceBusy, "Device or resource busy")
}

pub(super) fn invalid() -> bashkit::Error {
    error(ErrorKind::InvalidInput, "Invalid argument")
}
