//! The shell's machine code in this program's file, 37 MB of it.
//!
//! Copying it to the heap would cost every start of `run` more than most scripts take, and
//! in the code cache it would have to be checked. So it is mapped from the program's file,
//! of which only the pages that are used are ever read. The program's own read-only mapping
//! of it is unchanged.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::ptr::{self, NonNull};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mprotect};
use wasmtime::{CustomCodeMemory, Engine, Module};

/// The size of a page.
const PAGE_BYTES: usize = 4096;

/// Bytes that begin on a page boundary, in memory and so in the file too.
#[repr(C, align(4096))]
struct Aligned<B: ?Sized>(B);

/// The shell's machine code, compiled by the build script.
static CODE: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/shell.cwasm")));

/// Loads the shell. Where it cannot be mapped it is copied, which takes longer.
#[expect(
    unsafe_code,
    reason = "the code was compiled by the build script and is a part of this program"
)]
pub(super) fn load(wasm: &Engine) -> wasmtime::Result<Module> {
    // SAFETY: see the reason; the mapping is private, read-only, and never unmapped.
    match map_again(&CODE.0) {
        Ok(mapped) => unsafe { Module::deserialize_raw(wasm, mapped) },
        Err(error) => {
            tracing::debug!(%error, "the shell is copied, not mapped");
            unsafe { Module::deserialize(wasm, &CODE.0) }
        }
    }
}

/// Makes code executable that wasmtime did not map itself, and so would not.
///
/// On x86-64 this is what wasmtime does by default. Other processors have instruction
/// caches that have to be flushed; there nothing is mapped, and this is not used.
pub(crate) struct Publisher;

impl Publisher {
    /// Whether this platform is supported.
    pub(crate) const IS_FOR_US: bool = cfg!(all(target_arch = "x86_64", target_os = "linux"));
}

impl CustomCodeMemory for Publisher {
    fn required_alignment(&self) -> usize {
        PAGE_BYTES
    }

    #[expect(
        unsafe_code,
        reason = "wasmtime passes code that is not executed or written yet"
    )]
    fn publish_executable(&self, code: *const u8, bytes: usize) -> wasmtime::Result<()> {
        let flags = MprotectFlags::READ | MprotectFlags::EXEC;
        // SAFETY: wasmtime owns the code, or it is a mapping of `map_again`.
        unsafe { mprotect(code.cast_mut().cast(), bytes, flags) }?;
        Ok(())
    }

    fn unpublish_executable(&self, _code: *const u8, _bytes: usize) -> wasmtime::Result<()> {
        // Called before the code is unmapped. The shell's never is.
        Ok(())
    }
}

/// Maps a part of this program's file once more, for another engine: wasmtime identifies
/// code by its address.
#[expect(unsafe_code, reason = "a new mapping of a file that is being executed")]
fn map_again(part: &'static [u8]) -> io::Result<NonNull<[u8]>> {
    if !Publisher::IS_FOR_US {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let (file, offset) = place_in_own_file(part)?;
    // SAFETY: the kernel chooses the address, so that no other mapping is replaced.
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

/// Finds the offset in this program's file that a part of its memory comes from.
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
    fn the_shell_is_mapped_from_the_programs_own_file_once_per_engine() {
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
    fn a_line_that_is_not_a_mapping_is_ignored() {
        let line = "7f00-7fff r--p 00001000 fe:01 42   /usr/bin/tenterhook";
        let mapping = Mapping::parse(line).unwrap();
        assert_eq!(mapping.range, 0x7f00..0x7fff);
        assert_eq!((mapping.offset, mapping.inode), (0x1000, 42));
        for line in ["", "7f00", "7f00-7fff r--p", "x-y r--p 0 fe:01 42"] {
            assert!(Mapping::parse(line).is_none(), "{line}");
        }
    }
}
