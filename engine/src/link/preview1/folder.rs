//! Reading folders in preview 1: `fd_readdir`, which continues where a guest stopped.
//!
//! wasmtime-wasi reads the whole folder, and looks up every entry, each time that a guest
//! asks for the next few. Here the listing is kept until it is read to its end or another
//! is begun, so that an entry is read once and paid for once.

use wasmtime_wasi::p1::types::Fd;
use wasmtime_wasi::p1::wasi_snapshot_preview1::WasiSnapshotPreview1 as Api;
use wiggle::{GuestMemory, GuestPtr};

use super::errno::{self, Errno, errno_of};
use super::{CALL_COPY_MAX_BYTES, write_u32};
use crate::sandbox::guest::Guest;

/// The size of an entry before its name, in bytes.
const HEAD_BYTES: usize = 24;

/// The offset of the name's length in an entry.
const NAME_LEN: usize = 16;

/// The initial size of a listing's buffer, in bytes: some hundred entries. A larger
/// listing is read again with four times the size.
const FIRST_ROOM: usize = 32 << 10;

/// The entries of a folder as they were when reading began.
pub(crate) struct Listing {
    fd: i32,
    /// The entries in the format of preview 1, one after another.
    bytes: Vec<u8>,
    /// The offset of each of them.
    starts: Vec<usize>,
}

/// Copies as many bytes of the listing to the guest as it has room for, starting with the
/// entry with the number `cookie`. Returns the error number.
pub(super) async fn read(
    memory: &mut [u8],
    guest: &mut Guest,
    fd: i32,
    (buffer, len): (i32, i32),
    cookie: i64,
    used: i32,
) -> wasmtime::Result<i32> {
    guest.meter.owe(guest.prices.file);
    let Ok(cookie) = usize::try_from(cookie.cast_unsigned()) else {
        return Ok(errno::OVERFLOW);
    };
    let continues = |listing: &Listing| listing.fd == fd && cookie > 0;
    if !guest.listing.as_ref().is_some_and(continues) {
        guest.listing = None;
        match list(guest, fd).await {
            Ok(listing) => guest.listing = Some(listing),
            Err(error) => return error.or_trap(),
        }
    }
    let listing = guest.listing.as_ref().expect("it was read just now");
    let from = listing.starts.get(cookie).copied();
    let rest = &listing.bytes[from.unwrap_or(listing.bytes.len())..];
    let (at, room) = (
        buffer.cast_unsigned() as usize,
        len.cast_unsigned() as usize,
    );
    let given = &rest[..rest.len().min(room)];
    guest.meter.owe_bytes(given.len());
    let Some(place) = at
        .checked_add(given.len())
        .and_then(|end| memory.get_mut(at..end))
    else {
        return Ok(errno::FAULT);
    };
    place.copy_from_slice(given);
    let count = u32::try_from(given.len()).expect("it fits into the guest's memory");
    if given.len() < room {
        guest.listing = None;
    }
    Ok(write_u32(memory, used, count).map_or(errno::FAULT, |()| errno::SUCCESS))
}

/// Reads a whole folder, for the price of its entries.
async fn list(guest: &mut Guest, fd: i32) -> Result<Listing, Errno> {
    guest.meter.owe(guest.prices.path);
    let mut room = FIRST_ROOM;
    let (bytes, starts) = loop {
        let mut bytes = vec![0; room];
        Api::set_hostcall_fuel(&mut guest.wasi, CALL_COPY_MAX_BYTES);
        let len = u32::try_from(room).expect("a listing is smaller than 4 GiB");
        let memory = &mut GuestMemory::Unshared(&mut bytes);
        let begin = GuestPtr::new(0);
        let read = Api::fd_readdir(&mut guest.wasi, memory, Fd::from(fd), begin, len, 0);
        let used = read.await.map_err(errno_of)?;
        bytes.truncate(used as usize);
        let starts = starts(&bytes);
        guest.meter.owe(starts.len() as u64 * guest.prices.entry);
        if (used as usize) < room {
            break (bytes, starts);
        }
        room *= 4;
    };
    Ok(Listing { fd, bytes, starts })
}

fn starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = 0;
    while let Some(len) = bytes.get(at + NAME_LEN..at + NAME_LEN + 4) {
        starts.push(at);
        let len = u32::from_le_bytes(len.try_into().expect("four bytes"));
        at += HEAD_BYTES + len as usize;
    }
    starts
}
