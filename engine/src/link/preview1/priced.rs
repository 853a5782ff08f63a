//! The other calls of preview 1 that work on files: upstream's, with a price.
//!
//! The base price of a call does not cover the work on a file. Paths are bounded before
//! they are copied.

use wasmtime::{Caller, Linker};
use wiggle::GuestMemory;

use super::{CALL_COPY_MAX_BYTES, PATH_MAX_BYTES, errno, parts, quota_errno};
use crate::sandbox::guest::Guest;

/// Puts priced calls in front of one version of WASI. `[…]` lists the parameters that are
/// lengths of paths, and `makes` marks calls that add an entry to a folder.
macro_rules! priced {
    (
        $version:ident, $namespace:literal, $wasi:path, $trait:path;
        $($price:ident => $call:ident($($arg:ident: $ty:ty),*) [$($path:ident),*] $($makes:ident)?;)*
    ) => {
        pub(super) mod $version {
            use super::*;
            use $trait as Api;
            use $wasi as wasi;

            pub(in crate::link) fn price(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
                $(
                    linker.func_wrap_async(
                        $namespace,
                        stringify!($call),
                        |mut caller: Caller<'_, Guest>, ($($arg,)*): ($($ty,)*)| {
                            Box::new(async move {
                                let (memory, guest) = parts(&mut caller)?;
                                guest.meter.owe(guest.prices.$price);
                                let paths: &[i32] = &[$($path),*];
                                if paths.iter().any(|len| len.cast_unsigned() > PATH_MAX_BYTES) {
                                    return Ok(errno::NAMETOOLONG);
                                }
                                $(if let Err(exceeded) = guest.quota.$makes() {
                                    return Ok(quota_errno(exceeded));
                                })?
                                Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
                                let memory = &mut GuestMemory::Unshared(memory);
                                wasi::$call(&mut guest.wasi, memory, $($arg),*).await
                            })
                        },
                    )?;
                )*
                Ok(())
            }
        }
    };
}

/// The calls, which have the same form in both versions.
macro_rules! priced_calls {
    ($version:ident, $namespace:literal, $wasi:path, $trait:path) => {
        priced! {
            $version, $namespace, $wasi, $trait;
            file => fd_advise(fd: i32, offset: i64, len: i64, advice: i32) [];
            file => fd_datasync(fd: i32) [];
            file => fd_sync(fd: i32) [];
            about => fd_fdstat_get(fd: i32, stat: i32) [];
            about => fd_filestat_get(fd: i32, stat: i32) [];
            file => fd_filestat_set_times(fd: i32, accessed: i64, modified: i64, flags: i32) [];
            change => path_create_directory(dir: i32, path: i32, len: i32) [len] take_inode;
            path => path_filestat_get(dir: i32, flags: i32, path: i32, len: i32, stat: i32) [len];
            path => path_filestat_set_times(
                dir: i32, lookup: i32, path: i32, len: i32, accessed: i64, modified: i64, flags: i32
            ) [len];
            change => path_link(
                dir: i32, flags: i32, path: i32, len: i32, to: i32, name: i32, name_len: i32
            ) [len, name_len] take_inode;
            path => path_readlink(
                dir: i32, path: i32, len: i32, buffer: i32, size: i32, used: i32
            ) [len];
            change => path_remove_directory(dir: i32, path: i32, len: i32) [len];
            change => path_rename(
                dir: i32, path: i32, len: i32, to: i32, name: i32, name_len: i32
            ) [len, name_len];
            change => path_symlink(
                target: i32, target_len: i32, dir: i32, path: i32, len: i32
            ) [target_len, len] take_inode;
            change => path_unlink_file(dir: i32, path: i32, len: i32) [len];
        }
    };
}

priced_calls!(
    current,
    "wasi_snapshot_preview1",
    wasmtime_wasi::p1::wasi_snapshot_preview1,
    wasmtime_wasi::p1::wasi_snapshot_preview1::WasiSnapshotPreview1
);
priced_calls!(
    unstable,
    "wasi_unstable",
    wasmtime_wasi::p0::wasi_unstable,
    wasmtime_wasi::p0::wasi_unstable::WasiUnstable
);
