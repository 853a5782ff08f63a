//! What core modules may import: WASI preview 1, and its predecessor `wasi_unstable`.
//!
//! Both come from wasmtime-wasi. Some calls are replaced by our own, because upstream
//! bounds neither descriptors nor the files in a plain folder, blocks the thread when it
//! waits, reads a whole folder at every call, rejects exit statuses above 125, and has no
//! prices. All other host calls are charged by the store's call hook alone.

mod errno;
mod folder;
mod guard;
mod poll;
mod priced;

use wasmtime::{Caller, Engine, Error, Extern, Linker};
use wasmtime_wasi::p1;

pub(crate) use self::folder::Listing;
use self::guard::{current, unstable};
use crate::sandbox::clock::Clocks;
use crate::sandbox::guest::Guest;
use crate::sandbox::meter::COPIED_BYTE;
use crate::sandbox::quota::Exceeded;

use super::CALL_COPY_MAX_BYTES;

/// The most buffers that one read or write may have.
const PIECES_MAX: u32 = 1024;

/// The most bytes that one read or write moves; the rest is left to the next call. The
/// host holds a copy of them meanwhile.
const MOVED_MAX_BYTES: u32 = 4 << 20;

/// The longest path, in bytes; the same as on Linux.
const PATH_MAX_BYTES: u32 = 4096;

/// Builds the linker for core modules.
pub(super) fn linker(wasm: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(wasm);
    add(&mut linker)?;
    Ok(linker)
}

/// Adds both versions, with our own calls in front.
pub(super) fn add(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    p1::add_to_linker_async(linker, |guest: &mut Guest| &mut guest.wasi)?;
    wasmtime_wasi::p0::add_to_linker_async(linker, |guest: &mut Guest| &mut guest.wasi)?;
    linker.allow_shadowing(true);
    current::guard(linker)?;
    unstable::guard(linker)?;
    priced::current::price(linker)?;
    priced::unstable::price(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn quota_errno(exceeded: Exceeded) -> i32 {
    match exceeded {
        Exceeded::Descriptors => errno::MFILE,
        Exceeded::Inodes | Exceeded::Space => errno::NOSPC,
        Exceeded::FileSize => errno::FBIG,
    }
}

/// Returns the guest's memory and what the host holds for it.
fn parts<'a>(caller: &'a mut Caller<'_, Guest>) -> wasmtime::Result<(&'a mut [u8], &'a mut Guest)> {
    let memory = match caller.data().linear {
        Some(memory) => memory,
        None => match caller.get_export("memory") {
            Some(Extern::Memory(memory)) => memory,
            _ => {
                return Err(Error::msg(
                    "the module calls WASI but exports no memory named `memory`",
                ));
            }
        },
    };
    Ok(memory.data_and_store_mut(caller))
}

fn u32_at(memory: &[u8], at: u32) -> Option<u32> {
    let at = usize::try_from(at).ok()?;
    let bytes = memory.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn write_u64(memory: &mut [u8], at: i32, value: u64) -> Option<()> {
    let at = usize::try_from(at.cast_unsigned()).ok()?;
    memory
        .get_mut(at..at.checked_add(8)?)?
        .copy_from_slice(&value.to_le_bytes());
    Some(())
}

/// Returns the time of a clock in nanoseconds; `None` for the processor time clocks, which
/// would reveal the load of other guests.
fn now(clocks: &Clocks, clock: i32) -> Option<u64> {
    match clock {
        0 => u64::try_from(clocks.wall().as_nanos()).ok(),
        1 => Some(clocks.monotonic_ns()),
        _ => None,
    }
}

/// Returns how many bytes a list of buffers has in total; `None` when it is outside the
/// memory or too long.
fn pieces_len(memory: &[u8], pieces: i32, count: i32) -> Option<u64> {
    let (pieces, count) = (pieces.cast_unsigned(), count.cast_unsigned());
    if count > PIECES_MAX {
        return None;
    }
    (0..count).try_fold(0_u64, |total, index| {
        let len = u32_at(memory, pieces.checked_add(index * 8)?.checked_add(4)?)?;
        total.checked_add(len.into())
    })
}

/// Shortens the one buffer that a call is going to use, the first that is not empty, if it
/// is too long. Returns the address of its length and the original length, to be restored
/// after the call.
fn shorten(memory: &mut [u8], pieces: i32, count: i32) -> Option<(i32, u32)> {
    let (pieces, count) = (pieces.cast_unsigned(), count.cast_unsigned());
    let lens = (0..count.min(PIECES_MAX)).map_while(|index| {
        let at = pieces.checked_add(index * 8)?.checked_add(4)?;
        Some((at, u32_at(memory, at)?))
    });
    let (at, len) = lens.into_iter().find(|(_, len)| *len > 0)?;
    let at = at.cast_signed();
    (len > MOVED_MAX_BYTES)
        .then(|| write_u32(memory, at, MOVED_MAX_BYTES))
        .flatten()?;
    Some((at, len))
}

fn write_u32(memory: &mut [u8], at: i32, value: u32) -> Option<()> {
    let at = usize::try_from(at.cast_unsigned()).ok()?;
    memory
        .get_mut(at..at.checked_add(4)?)?
        .copy_from_slice(&value.to_le_bytes());
    Some(())
}

/// Returns how many of so many bytes one call moves.
fn moved(bytes: u64) -> u64 {
    bytes.min(MOVED_MAX_BYTES.into())
}

/// Returns the price of moving so many bytes to or from this descriptor. Printed output
/// is charged where it is kept.
fn moving(guest: &Guest, fd: i32, bytes: u64) -> u64 {
    match guest.quota.is_file(fd.cast_unsigned()) {
        false => 0,
        true => guest.prices.file + moved(bytes) * COPIED_BYTE,
    }
}
