//! What core modules may import: WASI preview 1, and its older twin.
//!
//! Both come from wasmtime-wasi. The calls below are put in front of it, because
//! it bounds neither descriptors nor the files in a plain folder, waits on many
//! things at once, and forgets exit statuses above 125. All other host calls are
//! charged by the store's call hook alone.

use std::time::Duration;

use wasmtime::{Caller, Engine, Error, Extern, Linker};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p1;
use wiggle::GuestMemory;

use crate::sandbox::clock::Clocks;
use crate::sandbox::guest::Guest;
use crate::sandbox::meter::{PATH_CALL, POLL_CALL};
use crate::sandbox::quota::Short;
use crate::sandbox::random::REQUEST_MAX_BYTES;

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

/// A wait for nothing but one relative time, and where its answer goes.
struct Sleep {
    time: Duration,
    userdata: [u8; 8],
}

/// Bytes of a subscription and of an event in both versions of the ABI that we
/// read ourselves: tag at 8, clock id at 16, time at 24 (current) or 32 (older).
const SUBSCRIPTION_BYTES: usize = 48;

fn lone_sleep(memory: &[u8], at: i32, layout: &ClockLayout) -> Option<Sleep> {
    const CLOCK_TAG: u8 = 0;
    let at = usize::try_from(at.cast_unsigned()).ok()?;
    let size = SUBSCRIPTION_BYTES.max(layout.size);
    let subscription = memory.get(at..at.checked_add(size)?)?;
    let absolute = subscription[layout.flags] & 1 == 1;
    if subscription[8] != CLOCK_TAG || absolute {
        return None;
    }
    let time = subscription[layout.timeout..layout.timeout + 8]
        .try_into()
        .ok()?;
    Some(Sleep {
        time: Duration::from_nanos(u64::from_le_bytes(time)),
        userdata: subscription[..8].try_into().ok()?,
    })
}

/// Where a clock subscription has its parts. The older version carries an
/// identifier before the clock's id.
struct ClockLayout {
    size: usize,
    timeout: usize,
    flags: usize,
}

/// Writes the answer to a lone sleep: one event that says the time has passed.
fn answer_sleep(memory: &mut [u8], events: i32, count: i32, userdata: [u8; 8]) -> Option<()> {
    const EVENT_BYTES: usize = 32;
    let events = usize::try_from(events.cast_unsigned()).ok()?;
    let event = memory.get_mut(events..events.checked_add(EVENT_BYTES)?)?;
    event.fill(0);
    event[..8].copy_from_slice(&userdata);
    let count = usize::try_from(count.cast_unsigned()).ok()?;
    memory
        .get_mut(count..count.checked_add(4)?)?
        .copy_from_slice(&1_u32.to_le_bytes());
    Some(())
}

/// Puts our calls in front of one version of WASI. A macro, since the two
/// versions are different generated functions with the same shape.
macro_rules! guard {
    ($version:ident, $namespace:literal, $wasi:path, $trait:path, $clock:expr) => {
        mod $version {
            use super::*;
            use $trait as Api;
            use $wasi as wasi;

            pub(super) fn guard(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
                linker.func_wrap_async(
                    $namespace,
                    "fd_write",
                    |mut caller: Caller<'_, Guest>,
                     (fd, pieces, count, written): (i32, i32, i32, i32)| {
                        Box::new(async move {
                            let (memory, guest) = parts(&mut caller)?;
                            let Some(len) = pieces_len(memory, pieces, count) else {
                                return Ok(errno::INVAL);
                            };
                            if fd > 2 {
                                guest.meter.owe_bytes(usize::try_from(len)?);
                                if let Err(short) = guest.quota.take_bytes(len) {
                                    return Ok(refuse(short));
                                }
                            }
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            wasi::fd_write(
                                &mut guest.wasi,
                                &mut GuestMemory::Unshared(memory),
                                fd,
                                pieces,
                                count,
                                written,
                            )
                            .await
                        })
                    },
                )?;
                linker.func_wrap_async(
                    $namespace,
                    "fd_pwrite",
                    |mut caller: Caller<'_, Guest>,
                     (fd, pieces, count, offset, written): (i32, i32, i32, i64, i32)| {
                        Box::new(async move {
                            let (memory, guest) = parts(&mut caller)?;
                            let Some(len) = pieces_len(memory, pieces, count) else {
                                return Ok(errno::INVAL);
                            };
                            guest.meter.owe_bytes(usize::try_from(len)?);
                            let end = offset.cast_unsigned().saturating_add(len);
                            // A write may touch one block more than it fills.
                            let taken = guest
                                .quota
                                .may_reach(end)
                                .and_then(|()| guest.quota.take_bytes(len.saturating_add(4095)));
                            if let Err(short) = taken {
                                return Ok(refuse(short));
                            }
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            wasi::fd_pwrite(
                                &mut guest.wasi,
                                &mut GuestMemory::Unshared(memory),
                                fd,
                                pieces,
                                count,
                                offset,
                                written,
                            )
                            .await
                        })
                    },
                )?;
                linker.func_wrap_async(
                    $namespace,
                    "fd_filestat_set_size",
                    |mut caller: Caller<'_, Guest>, (fd, size): (i32, i64)| {
                        Box::new(async move {
                            let (memory, guest) = parts(&mut caller)?;
                            guest.meter.owe(PATH_CALL);
                            if let Err(short) = guest.quota.may_reach(size.cast_unsigned()) {
                                return Ok(refuse(short));
                            }
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            let memory = &mut GuestMemory::Unshared(memory);
                            wasi::fd_filestat_set_size(&mut guest.wasi, memory, fd, size).await
                        })
                    },
                )?;
                linker.func_wrap_async(
                    $namespace,
                    "path_open",
                    |mut caller: Caller<'_, Guest>,
                     (dir, lookup, path, len, open, rights, inherited, flags, fd): (
                        i32,
                        i32,
                        i32,
                        i32,
                        i32,
                        i64,
                        i64,
                        i32,
                        i32,
                    )| {
                        Box::new(async move {
                            const CREATE: i32 = 1;
                            let (memory, guest) = parts(&mut caller)?;
                            guest.meter.owe(PATH_CALL);
                            if len.cast_unsigned() > PATH_MAX_BYTES {
                                return Ok(errno::NAMETOOLONG);
                            }
                            let mut may = guest.quota.may_open();
                            if open & CREATE == CREATE {
                                may = may.and_then(|()| guest.quota.take_inode());
                            }
                            if let Err(short) = may {
                                return Ok(refuse(short));
                            }
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            let result = wasi::path_open(
                                &mut guest.wasi,
                                &mut GuestMemory::Unshared(memory),
                                dir,
                                lookup,
                                path,
                                len,
                                open,
                                rights,
                                inherited,
                                flags,
                                fd,
                            )
                            .await?;
                            if result == 0 {
                                guest.quota.opened();
                            }
                            Ok::<i32, Error>(result)
                        })
                    },
                )?;
                linker.func_wrap_async(
                    $namespace,
                    "fd_close",
                    |mut caller: Caller<'_, Guest>, (fd,): (i32,)| {
                        Box::new(async move {
                            let (memory, guest) = parts(&mut caller)?;
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            let memory = &mut GuestMemory::Unshared(memory);
                            let result = wasi::fd_close(&mut guest.wasi, memory, fd).await?;
                            if result == 0 && fd > 2 {
                                guest.quota.closed();
                            }
                            Ok::<i32, Error>(result)
                        })
                    },
                )?;
                linker.func_wrap_async(
                    $namespace,
                    "path_create_directory",
                    |mut caller: Caller<'_, Guest>, (dir, path, len): (i32, i32, i32)| {
                        Box::new(async move {
                            let (memory, guest) = parts(&mut caller)?;
                            guest.meter.owe(PATH_CALL);
                            if let Err(short) = guest.quota.take_inode() {
                                return Ok(refuse(short));
                            }
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            let memory = &mut GuestMemory::Unshared(memory);
                            wasi::path_create_directory(&mut guest.wasi, memory, dir, path, len)
                                .await
                        })
                    },
                )?;
                linker.func_wrap_async(
                    $namespace,
                    "path_symlink",
                    |mut caller: Caller<'_, Guest>,
                     (target, target_len, dir, path, len): (i32, i32, i32, i32, i32)| {
                        Box::new(async move {
                            let (memory, guest) = parts(&mut caller)?;
                            guest.meter.owe(PATH_CALL);
                            if let Err(short) = guest.quota.take_inode() {
                                return Ok(refuse(short));
                            }
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            let memory = &mut GuestMemory::Unshared(memory);
                            wasi::path_symlink(
                                &mut guest.wasi,
                                memory,
                                target,
                                target_len,
                                dir,
                                path,
                                len,
                            )
                            .await
                        })
                    },
                )?;
                linker.func_wrap_async(
                    $namespace,
                    "fd_readdir",
                    |mut caller: Caller<'_, Guest>,
                     (fd, buffer, len, cookie, used): (i32, i32, i32, i64, i32)| {
                        Box::new(async move {
                            let (memory, guest) = parts(&mut caller)?;
                            guest.meter.owe(PATH_CALL);
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            let memory = &mut GuestMemory::Unshared(memory);
                            wasi::fd_readdir(&mut guest.wasi, memory, fd, buffer, len, cookie, used)
                                .await
                        })
                    },
                )?;
                linker.func_wrap_async(
                    $namespace,
                    "poll_oneoff",
                    |mut caller: Caller<'_, Guest>,
                     (subs, events, count, stored): (i32, i32, i32, i32)| {
                        Box::new(async move {
                            let (memory, guest) = parts(&mut caller)?;
                            guest.meter.owe(POLL_CALL);
                            if count.cast_unsigned() > SUBSCRIPTIONS_MAX {
                                return Ok(errno::INVAL);
                            }
                            let sleep = lone_sleep(memory, subs, &$clock).filter(|_| count == 1);
                            if let Some(sleep) =
                                sleep.filter(|sleep| guest.clocks.slept_through(sleep.time))
                            {
                                let answered = answer_sleep(memory, events, stored, sleep.userdata);
                                return Ok(answered.map_or(errno::FAULT, |()| 0));
                            }
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            let memory = &mut GuestMemory::Unshared(memory);
                            wasi::poll_oneoff(&mut guest.wasi, memory, subs, events, count, stored)
                                .await
                        })
                    },
                )?;
                // wasmtime-wasi's own is right and slower: an interpreter asks for the
                // time at every command that it runs.
                linker.func_wrap(
                    $namespace,
                    "clock_time_get",
                    |mut caller: Caller<'_, Guest>, clock: i32, _precision: i64, time: i32| {
                        let (memory, guest) = parts(&mut caller)?;
                        let Some(now) = now(&guest.clocks, clock) else {
                            return Ok(errno::INVAL);
                        };
                        let written = write_u64(memory, time, now);
                        Ok::<i32, Error>(written.map_or(errno::FAULT, |()| 0))
                    },
                )?;
                linker.func_wrap(
                    $namespace,
                    "random_get",
                    |mut caller: Caller<'_, Guest>,
                     buffer: i32,
                     len: i32|
                     -> wasmtime::Result<i32> {
                        if u64::from(len.cast_unsigned()) > REQUEST_MAX_BYTES {
                            return Ok(errno::INVAL);
                        }
                        let (memory, guest) = parts(&mut caller)?;
                        Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                        let memory = &mut GuestMemory::Unshared(memory);
                        wasi::random_get(&mut guest.wasi, memory, buffer, len)
                    },
                )?;
                linker.func_wrap(
                    $namespace,
                    "proc_exit",
                    |_: Caller<'_, Guest>, status: i32| -> wasmtime::Result<()> {
                        Err(I32Exit(status).into())
                    },
                )?;
                Ok(())
            }
        }
    };
}

guard!(
    current,
    "wasi_snapshot_preview1",
    wasmtime_wasi::p1::wasi_snapshot_preview1,
    wasmtime_wasi::p1::wasi_snapshot_preview1::WasiSnapshotPreview1,
    ClockLayout {
        size: 48,
        timeout: 24,
        flags: 40
    }
);
guard!(
    unstable,
    "wasi_unstable",
    wasmtime_wasi::p0::wasi_unstable,
    wasmtime_wasi::p0::wasi_unstable::WasiUnstable,
    ClockLayout {
        size: 56,
        timeout: 32,
        flags: 48
    }
);
