//! Our own calls in front of wasmtime-wasi's, for both versions of preview 1.

use wasmtime::{Caller, Error, Linker};
use wasmtime_wasi::I32Exit;
use wiggle::GuestMemory;

use super::poll::{self, Arguments, Layout};
use super::{
    CALL_COPY_MAX_BYTES, PATH_MAX_BYTES, errno, folder, moved, moving, now, parts, pieces_len,
    quota_errno, shorten, u32_at, write_u32, write_u64,
};
use crate::sandbox::guest::Guest;
use crate::sandbox::random::REQUEST_MAX_BYTES;

/// Puts our calls in front of one version of WASI. A macro, since the two versions are
/// different generated functions with the same signatures.
macro_rules! guard {
    ($version:ident, $namespace:literal, $wasi:path, $trait:path, $layout:path) => {
        pub(super) mod $version {
            use super::*;
            use $trait as Api;
            use $wasi as wasi;

            const LAYOUT: Layout = $layout;

            pub(in crate::link) fn guard(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
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
                            guest.meter.owe(moving(guest, fd, len));
                            if guest.quota.is_file(fd.cast_unsigned())
                                && let Err(exceeded) = guest.quota.take_bytes(moved(len))
                            {
                                return Ok(quota_errno(exceeded));
                            }
                            let shortened = shorten(memory, pieces, count);
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            let result = wasi::fd_write(
                                &mut guest.wasi,
                                &mut GuestMemory::Unshared(&mut *memory),
                                fd,
                                pieces,
                                count,
                                written,
                            )
                            .await?;
                            if let Some((at, len)) = shortened {
                                write_u32(memory, at, len);
                            }
                            Ok::<i32, Error>(result)
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
                            guest.meter.owe(moving(guest, fd, len));
                            let end = offset.cast_unsigned().saturating_add(len);
                            // A write may touch one more block than it fills.
                            let taken = guest
                                .quota
                                .may_reach(end)
                                .and_then(|()| guest.quota.take_bytes(moved(len) + 4095));
                            if let Err(exceeded) = taken {
                                return Ok(quota_errno(exceeded));
                            }
                            let shortened = shorten(memory, pieces, count);
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            let result = wasi::fd_pwrite(
                                &mut guest.wasi,
                                &mut GuestMemory::Unshared(&mut *memory),
                                fd,
                                pieces,
                                count,
                                offset,
                                written,
                            )
                            .await?;
                            if let Some((at, len)) = shortened {
                                write_u32(memory, at, len);
                            }
                            Ok::<i32, Error>(result)
                        })
                    },
                )?;
                linker.func_wrap_async(
                    $namespace,
                    "fd_read",
                    |mut caller: Caller<'_, Guest>,
                     (fd, pieces, count, read): (i32, i32, i32, i32)| {
                        Box::new(async move {
                            let (memory, guest) = parts(&mut caller)?;
                            let Some(len) = pieces_len(memory, pieces, count) else {
                                return Ok(errno::INVAL);
                            };
                            guest.meter.owe(moving(guest, fd, len));
                            let shortened = shorten(memory, pieces, count);
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            let result = wasi::fd_read(
                                &mut guest.wasi,
                                &mut GuestMemory::Unshared(&mut *memory),
                                fd,
                                pieces,
                                count,
                                read,
                            )
                            .await?;
                            if let Some((at, len)) = shortened {
                                write_u32(memory, at, len);
                            }
                            Ok::<i32, Error>(result)
                        })
                    },
                )?;
                linker.func_wrap_async(
                    $namespace,
                    "fd_pread",
                    |mut caller: Caller<'_, Guest>,
                     (fd, pieces, count, offset, read): (i32, i32, i32, i64, i32)| {
                        Box::new(async move {
                            let (memory, guest) = parts(&mut caller)?;
                            let Some(len) = pieces_len(memory, pieces, count) else {
                                return Ok(errno::INVAL);
                            };
                            guest.meter.owe(moving(guest, fd, len));
                            let shortened = shorten(memory, pieces, count);
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            let result = wasi::fd_pread(
                                &mut guest.wasi,
                                &mut GuestMemory::Unshared(&mut *memory),
                                fd,
                                pieces,
                                count,
                                offset,
                                read,
                            )
                            .await?;
                            if let Some((at, len)) = shortened {
                                write_u32(memory, at, len);
                            }
                            Ok::<i32, Error>(result)
                        })
                    },
                )?;
                linker.func_wrap_async(
                    $namespace,
                    "fd_filestat_set_size",
                    |mut caller: Caller<'_, Guest>, (fd, size): (i32, i64)| {
                        Box::new(async move {
                            let (memory, guest) = parts(&mut caller)?;
                            guest.meter.owe(guest.prices.path);
                            if let Err(exceeded) = guest.quota.may_reach(size.cast_unsigned()) {
                                return Ok(quota_errno(exceeded));
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
                            guest.meter.owe(match open & CREATE {
                                0 => guest.prices.path,
                                _ => guest.prices.change,
                            });
                            if len.cast_unsigned() > PATH_MAX_BYTES {
                                return Ok(errno::NAMETOOLONG);
                            }
                            let mut may = guest.quota.may_open();
                            if open & CREATE == CREATE {
                                may = may.and_then(|()| guest.quota.take_inode());
                            }
                            if let Err(exceeded) = may {
                                return Ok(quota_errno(exceeded));
                            }
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            let result = wasi::path_open(
                                &mut guest.wasi,
                                &mut GuestMemory::Unshared(&mut *memory),
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
                            if result == 0
                                && let Some(opened) = u32_at(memory, fd.cast_unsigned())
                            {
                                guest.quota.opened(opened);
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
                            guest.listing = None;
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            let memory = &mut GuestMemory::Unshared(memory);
                            let result = wasi::fd_close(&mut guest.wasi, memory, fd).await?;
                            if result == 0 {
                                guest.quota.closed(fd.cast_unsigned());
                            }
                            Ok::<i32, Error>(result)
                        })
                    },
                )?;
                linker.func_wrap_async(
                    $namespace,
                    "fd_renumber",
                    |mut caller: Caller<'_, Guest>, (from, to): (i32, i32)| {
                        Box::new(async move {
                            let (memory, guest) = parts(&mut caller)?;
                            guest.listing = None;
                            guest.meter.owe(guest.prices.file);
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            let memory = &mut GuestMemory::Unshared(memory);
                            let result =
                                wasi::fd_renumber(&mut guest.wasi, memory, from, to).await?;
                            if result == 0 {
                                let (from, to) = (from.cast_unsigned(), to.cast_unsigned());
                                guest.quota.renumbered(from, to);
                            }
                            Ok::<i32, Error>(result)
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
                            folder::read(memory, guest, fd, (buffer, len), cookie, used).await
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
                            Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                            let arguments = Arguments {
                                subscriptions: subs,
                                events,
                                count,
                                stored,
                            };
                            poll::poll(memory, guest, &LAYOUT, arguments).await
                        })
                    },
                )?;
                // wasmtime-wasi's own is correct but slower, and an interpreter reads the
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
    poll::CURRENT
);
guard!(
    unstable,
    "wasi_unstable",
    wasmtime_wasi::p0::wasi_unstable,
    wasmtime_wasi::p0::wasi_unstable::WasiUnstable,
    poll::UNSTABLE
);
