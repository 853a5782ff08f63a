//! The shell's machine code as it stands in this program's file, 37 MB of it.
//!
//! Copied to the heap it would cost every start of `run` more than most scripts
//! take, and from the code cache it would have to be checked. So it is mapped from
//! the program's file, of which only the pages that are used are ever read. The
//! program's own mapping of it stays as it is, for reading.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::ptr::{self, NonNull};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mprotect};
use wasmtime::{CustomCodeMemory, Engine, Module};

/// The size of a page where the code is mapped.
const PAGE_BYTES: usize = 4096;

/// Bytes that begin with a page, in memory and so in the file too.
#[repr(C, align(4096))]
struct Aligned<B: ?Sized>(B);

/// The shell's machine code, made by the build script.
static CODE: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/shell.cwasm")));

/// Loads the shell. Where it cannot be mapped it is copied, which takes longer.
#[expect(
    unsafe_code,
    reason = "the code was made by the build script and is a part of this program"
)]
pub(super) fn load(wasm: &Engine) -> wasmtime::Result<Module> {
    // SAFETY: see the reason; the mapping is private, for reading, and never undone.
    match map_again(&CODE.0) {
        Ok(mapped) => unsafe { Module::deserialize_raw(wasm, mapped) },
        Err(error) => {
            tracing::debug!(%error, "the shell is copied, not mapped");
            unsafe { Module::deserialize(wasm, &CODE.0) }
        }
    }
}

/// Makes code executable that wasmtime itself may not: what it did not map.
///
/// On this processor it is what wasmtime does by default. Others have caches of
/// instructions that have to be told; there nothing is mapped, and this is not used.
pub(crate) struct Publisher;

impl Publisher {
    /// Whether this is the processor that it is for.
    pub(crate) const IS_FOR_US: bool = cfg!(all(target_arch = "x86_64", target_os = "linux"));
}

impl CustomCodeMemory for Publisher {
    fn required_alignment(&self) -> usize {
        PAGE_BYTES
    }

    #[expect(
        unsafe_code,
        reason = "wasmtime names code that nobody executes or writes yet"
    )]
    fn publish_executable(&self, code: *const u8, bytes: usize) -> wasmtime::Result<()> {
        let flags = MprotectFlags::READ | MprotectFlags::EXEC;
        // SAFETY: wasmtime owns the code, or it is a mapping of `map_again`.
        unsafe { mprotect(code.cast_mut().cast(), bytes, flags) }?;
        Ok(())
    }

    fn unpublish_executable(&self, _code: *const u8, _bytes: usize) -> wasmtime::Result<()> {
        // Called before the code is unmapped. That of the shell stays.
        Ok(())
    }
}

/// Maps a part of this program's file once more, for an engine of its own: wasmtime
/// knows code by its address.
#[expect(unsafe_code, reason = "a new mapping of a file that is being executed")]
fn map_again(part: &'static [u8]) -> io::Result<NonNull<[u8]>> {
    if !Publisher::IS_FOR_US {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let (file, offset) = place_in_own_file(part)?;
    // SAFETY: the kernel chooses where, so that nothing is mapped over.
    let at = unsafe {
        mmap(
            ptr::null_mut(),
            part.len(),
            ProtFlags::READ,
            MapFlags::PRIVATE,
            &file,
            offset,
        )
    }?;
    let mapped = NonNull::new(ptr::slice_from_raw_parts_mut(at.cast(), part.len()));
    mapped.ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

/// Finds the place in this program's file that a part of its memory comes from.
fn place_in_own_file(part: &'static [u8]) -> io::Result<(File, u64)> {
    let addresses = part.as_ptr_range();
    let (start, end) = (addresses.start.addr(), addresses.end.addr());
    let maps = fs::read_to_string("/proc/self/maps")?;
    let file = File::open("/proc/self/exe")?;
    let inode = file.metadata()?.ino();
    maps.lines()
        .filter_map(Mapping::parse)
        .find(|mapping| mapping.range.start <= start && end <= mapping.range.end)
        .filter(|mapping| mapping.inode == inode)
        .map(|mapping| mapping.offset + (start - mapping.range.start) as u64)
        .filter(|offset| offset.is_multiple_of(PAGE_BYTES as u64))
        .map(|offset| (file, offset))
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// One line of `/proc/self/maps`: `start-end rights offset device inode path`.
struct Mapping {
    range: Range<usize>,
    offset: u64,
    inode: u64,
}

impl Mapping {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let address = |hex| usize::from_str_radix(hex, 16).ok();
        let _rights = words.next()?;
        let offset = u64::from_str_radix(words.next()?, 16).ok()?;
        let _device = words.next()?;
        Some(Self {
            range: address(start)?..address(end)?,
            offset,
            inode: words.next()?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    #[expect(unsafe_code, reason = "what was mapped is read")]
    fn the_shell_is_mapped_from_the_programs_own_file_as_often_as_engines_want_it() {
        let mapped = [map_again(&CODE.0).unwrap(), map_again(&CODE.0).unwrap()];
        assert_ne!(mapped[0], mapped[1]);
        for mapped in mapped {
            // SAFETY: it is mapped, for reading, and stays so.
            let bytes = unsafe { mapped.as_ref() };
            assert_ne!(bytes.as_ptr(), CODE.0.as_ptr());
            assert!(bytes == &CODE.0);
        }
    }

    #[test]
    fn a_line_that_is_not_a_files_mapping_is_none() {
        let line = "7f00-7fff r--p 00001000 fe:01 42   /usr/bin/tenterhook";
        let mapping = Mapping::parse(line).unwrap();
        assert_eq!(mapping.range, 0x7f00..0x7fff);
        assert_eq!((mapping.offset, mapping.inode), (0x1000, 42));
        for line in ["", "7f00", "7f00-7fff r--p", "x-y r--p 0 fe:01 42"] {
            assert!(Mapping::parse(line).is_none(), "{line}");
        }
    }
}
