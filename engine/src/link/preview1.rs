//! What core modules may import: WASI preview 1, and its older twin.
//!
//! Both come from wasmtime-wasi. The calls below are put in front of it, because
//! it bounds neither descriptors nor the files in a plain folder, waits on many
//! things at once, and forgets exit statuses above 125. All other host calls are
//! charged by the store's call hook alone.

mod guard;
mod sleep;

use wasmtime::{Caller, Engine, Error, Extern, Linker};
use wasmtime_wasi::p1;

use self::guard::{current, unstable};

use crate::sandbox::clock::Clocks;
use crate::sandbox::guest::Guest;
use crate::sandbox::quota::Short;

/// Bytes that wasmtime-wasi may copy for one call, paths and buffers together.
const CALL_COPY_MAX_BYTES: usize = 32 << 20;

/// Things that one call may wait for.
const SUBSCRIPTIONS_MAX: u32 = 64;

/// Pieces that one read or write may consist of.
const PIECES_MAX: u32 = 1024;

/// Bytes of a path; Linux allows as many.
const PATH_MAX_BYTES: u32 = 4096;

/// Error numbers of preview 1; the older twin has the same.
mod errno {
    pub(super) const FAULT: i32 = 21;
    pub(super) const FBIG: i32 = 22;
    pub(super) const INVAL: i32 = 28;
    pub(super) const MFILE: i32 = 33;
    pub(super) const NAMETOOLONG: i32 = 37;
    pub(super) const NOSPC: i32 = 51;
}

/// Builds the linker for core modules.
pub(super) fn linker(wasm: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(wasm);
    add(&mut linker)?;
    Ok(linker)
}

/// Adds both versions with our calls in front.
pub(super) fn add(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    p1::add_to_linker_async(linker, |guest: &mut Guest| &mut guest.wasi)?;
    wasmtime_wasi::p0::add_to_linker_async(linker, |guest: &mut Guest| &mut guest.wasi)?;
    linker.allow_shadowing(true);
    current::guard(linker)?;
    unstable::guard(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn refuse(short: Short) -> i32 {
    match short {
        Short::Descriptors => errno::MFILE,
        Short::Inodes | Short::Space => errno::NOSPC,
        Short::FileSize => errno::FBIG,
    }
}

/// The guest's memory and what the host holds for it.
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

/// The time of a clock in nanoseconds; `None` for the clocks of processor time,
/// which would tell a guest about its neighbours.
fn now(clocks: &Clocks, clock: i32) -> Option<u64> {
    match clock {
        0 => u64::try_from(clocks.wall().as_nanos()).ok(),
        1 => Some(clocks.monotonic_ns()),
        _ => None,
    }
}

/// How many bytes a list of pieces names in all; `None` when it lies outside the
/// memory or is too long.
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
