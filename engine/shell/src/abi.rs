//! The boundary between the guest and the engine.
//!
//! Exports: `memory`, `_initialize`, `wizer-initialize` (builds the interpreter
//! once, before the snapshot; it calls none of the imports below) and
//! `run() -> i32`, which runs one script and returns its exit status, 0 to 255.
//!
//! Imports, module `tenterhook_shell`. `which` names an input: 0 the script,
//! 1 the whole event as JSON, 2 the bytes of standard input.
//!
//! | function | meaning |
//! |---|---|
//! | `input_len(which: i32) -> i32` | length in bytes, -1 when absent |
//! | `input_read(which: i32, ptr: i32)` | copies the whole input to `ptr` |
//! | `limit(which: i32) -> i64` | 0: bytes all files may hold, 1: number of inodes |
//! | `verdict(ptr: i32, len: i32)` | hands over the bytes of `/verdict.json`; `len` -1: it is no file |
//!
//! The rest is WASI preview 1: arguments (the first is `$0`), environment,
//! standard output and error, clocks, randomness, `poll_oneoff`. Arguments and
//! environment are asked for at run time: the C library's copy of them would be
//! the snapshot's. No WASI file function is used but `fd_write` to 1 and 2.
#![expect(unsafe_code, reason = "calls functions that the host provides")]

use crate::files::Quota;
use crate::run::Verdict;
use crate::stream::Stream;

/// One of the byte strings that the engine has ready for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Input {
    Script = 0,
    Event = 1,
    Stdin = 2,
}

mod host {
    #[link(wasm_import_module = "tenterhook_shell")]
    unsafe extern "C" {
        pub(super) fn input_len(which: i32) -> i32;
        pub(super) fn input_read(which: i32, ptr: *mut u8);
        pub(super) fn limit(which: i32) -> i64;
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

/// Fetches one input, or nothing if the run has none.
pub(crate) fn input(which: Input) -> Option<Vec<u8>> {
    // SAFETY: takes no pointer.
    let len = unsafe { host::input_len(which as i32) };
    let len = usize::try_from(len).ok()?;
    let mut bytes = Vec::with_capacity(len);
    // SAFETY: the host fills exactly `len` bytes, for which there is room.
    unsafe {
        host::input_read(which as i32, bytes.as_mut_ptr());
        bytes.set_len(len);
    }
    Some(bytes)
}

/// What this run may store.
pub(crate) fn quota() -> Quota {
    // SAFETY: takes no pointer.
    let limit = |which| u64::try_from(unsafe { host::limit(which) }).unwrap_or(0);
    Quota {
        bytes: limit(0),
        inodes: limit(1),
    }
}

/// Hands the verdict over to the engine.
pub(crate) fn verdict(verdict: &Verdict) {
    let (bytes, len) = match verdict {
        Verdict::None => return,
        Verdict::Text(bytes) => (&bytes[..], i32::try_from(bytes.len()).unwrap_or(i32::MAX)),
        Verdict::NoFile => (&[][..], -1),
    };
    // SAFETY: the host reads at most `len` bytes from `ptr`, and none if it is -1.
    unsafe { host::verdict(bytes.as_ptr(), len) }
}

/// The script's name and its arguments.
pub(crate) fn arguments() -> Vec<String> {
    strings(wasi::args_sizes_get, wasi::args_get)
}

/// The environment, `NAME=value` each.
pub(crate) fn environment() -> Vec<String> {
    strings(wasi::environ_sizes_get, wasi::environ_get)
}

type Sizes = unsafe extern "C" fn(*mut usize, *mut usize) -> i32;
type Fetch = unsafe extern "C" fn(*mut *mut u8, *mut u8) -> i32;

/// A list of strings, which WASI hands out as one buffer with ending zeros.
fn strings(sizes: Sizes, fetch: Fetch) -> Vec<String> {
    let (mut count, mut size) = (0, 0);
    // SAFETY: both point to a word.
    if unsafe { sizes(&raw mut count, &raw mut size) } != 0 || count == 0 {
        return Vec::new();
    }
    let mut list = vec![std::ptr::null_mut(); count];
    let mut buffer = vec![0; size];
    // SAFETY: there is room for as many pointers and bytes as were announced.
    if unsafe { fetch(list.as_mut_ptr(), buffer.as_mut_ptr()) } != 0 {
        return Vec::new();
    }
    buffer
        .split_inclusive(|byte| *byte == 0)
        .map(|text| String::from_utf8_lossy(text.strip_suffix(&[0]).unwrap_or(text)).into_owned())
        .collect()
}

/// A number which the host draws for this run.
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
        // SAFETY: one slice of readable bytes, one word for the answer.
        let status =
            unsafe { wasi::fd_write(stream as i32, &raw const slice, 1, &raw mut written) };
        if status != 0 || written == 0 {
            return;
        }
        bytes = bytes.get(written..).unwrap_or_default();
    }
}
