//! The boundary between the guest and the engine: the guest's side of
//! `tenterhook_contract::shell`, which describes each function.
//!
//! Exports: `memory`, `_initialize`, `wizer-initialize` (builds the interpreter
//! once, before the snapshot; it calls none of the imports below) and `run`.
//!
//! Rust wants the names of imports as literals. A test of the engine compares what
//! the built shell imports with the contract.
//!
//! The rest is WASI preview 1: arguments (the first names the script), environment,
//! standard output and error, clocks, randomness, `poll_oneoff`. Arguments and
//! environment are asked for at run time: the C library's copy of them would be
//! the snapshot's. No WASI file function is used but `fd_write` to 1 and 2.
#![expect(unsafe_code, reason = "calls functions that the host provides")]

use crate::files::Quota;
use crate::run::Verdict;
use crate::stream::Stream;
use tenterhook_contract::shell::{Limit, NOT_REGULAR};

pub(crate) use tenterhook_contract::shell::Input;

mod host {
    #[link(wasm_import_module = "tenterhook_shell")]
    unsafe extern "C" {
        pub(super) fn input_len(input: i32) -> i32;
        pub(super) fn input_read(input: i32, ptr: *mut u8);
        pub(super) fn limit(limit: i32) -> i64;
        pub(super) fn verdict(ptr: *const u8, len: i32);
    }
}

mod wasi {
    #[repr(C)]
    pub(super) struct Slice {
        pub(super) ptr: *const u8,
        pub(super) len: usize,
    }

    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        pub(super) fn args_sizes_get(count: *mut usize, size: *mut usize) -> i32;
        pub(super) fn args_get(list: *mut *mut u8, buffer: *mut u8) -> i32;
        pub(super) fn environ_sizes_get(count: *mut usize, size: *mut usize) -> i32;
        pub(super) fn environ_get(list: *mut *mut u8, buffer: *mut u8) -> i32;
        pub(super) fn random_get(buffer: *mut u8, len: usize) -> i32;
        pub(super) fn fd_write(
            fd: i32,
            list: *const Slice,
            count: usize,
            written: *mut usize,
        ) -> i32;
    }
}

/// Fetches one input; `None` if the run does not have it.
pub(crate) fn input(input: Input) -> Option<Vec<u8>> {
    // SAFETY: takes no pointer.
    let len = unsafe { host::input_len(input as i32) };
    let len = usize::try_from(len).ok()?;
    let mut bytes = Vec::with_capacity(len);
    // SAFETY: the host fills exactly `len` bytes, for which there is room.
    unsafe {
        host::input_read(input as i32, bytes.as_mut_ptr());
        bytes.set_len(len);
    }
    Some(bytes)
}

/// Returns what this run may store.
pub(crate) fn quota() -> Quota {
    // SAFETY: takes no pointer.
    let limit = |limit: Limit| u64::try_from(unsafe { host::limit(limit as i32) }).unwrap_or(0);
    Quota {
        bytes: limit(Limit::FileBytes),
        inodes: limit(Limit::Inodes),
    }
}

/// Hands the verdict over to the engine.
pub(crate) fn verdict(verdict: &Verdict) {
    let (bytes, len) = match verdict {
        Verdict::None => return,
        Verdict::Text(bytes) => (&bytes[..], i32::try_from(bytes.len()).unwrap_or(i32::MAX)),
        Verdict::NotRegular => (&[][..], NOT_REGULAR),
    };
    // SAFETY: the host reads at most `len` bytes from `ptr`, and none if `len` is negative.
    unsafe { host::verdict(bytes.as_ptr(), len) }
}

/// Returns the script's name and its arguments.
pub(crate) fn arguments() -> Vec<String> {
    strings(wasi::args_sizes_get, wasi::args_get)
}

/// Returns the environment, `NAME=value` each.
pub(crate) fn environment() -> Vec<String> {
    strings(wasi::environ_sizes_get, wasi::environ_get)
}

type Sizes = unsafe extern "C" fn(*mut usize, *mut usize) -> i32;
type Fetch = unsafe extern "C" fn(*mut *mut u8, *mut u8) -> i32;

/// Fetches a list of strings, which WASI returns as one buffer of zero-terminated ones.
fn strings(sizes: Sizes, fetch: Fetch) -> Vec<String> {
    let (mut count, mut size) = (0, 0);
    // SAFETY: both point to a word.
    if unsafe { sizes(&raw mut count, &raw mut size) } != 0 || count == 0 {
        return Vec::new();
    }
    let mut list = vec![std::ptr::null_mut(); count];
    let mut buffer = vec![0; size];
    // SAFETY: there is room for as many pointers and bytes as the host reported.
    if unsafe { fetch(list.as_mut_ptr(), buffer.as_mut_ptr()) } != 0 {
        return Vec::new();
    }
    buffer
        .split_inclusive(|byte| *byte == 0)
        .map(|text| String::from_utf8_lossy(text.strip_suffix(&[0]).unwrap_or(text)).into_owned())
        .collect()
}

/// Returns a random number that the host has chosen for this run.
pub(crate) fn seed() -> u64 {
    let mut bytes = [0; 8];
    // SAFETY: there is room for eight bytes. Without entropy the seed is zero.
    unsafe { wasi::random_get(bytes.as_mut_ptr(), bytes.len()) };
    u64::from_le_bytes(bytes)
}

/// Writes all bytes; what the host refuses is dropped.
pub(crate) fn write(stream: Stream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let slice = wasi::Slice {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        };
        let mut written = 0;
        // SAFETY: one slice of readable bytes, one word for the result.
        let status =
            unsafe { wasi::fd_write(stream as i32, &raw const slice, 1, &raw mut written) };
        if status != 0 || written == 0 {
            return;
        }
        bytes = bytes.get(written..).unwrap_or_default();
    }
}
