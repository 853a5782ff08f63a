//! Waiting in preview 1: all of `poll_oneoff`, for both versions.
//!
//! No wait is left to wasmtime-wasi: where files may block the thread, upstream puts the
//! calling thread to sleep for a single timeout, and no deadline, cancellation or shutdown
//! reaches that sleep. Here every wait is a timer, dropped with its run.

use std::time::{Duration, Instant};

use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::types::{Fd, Fdstat, Filetype, Rights};
use wasmtime_wasi::p1::wasi_snapshot_preview1::WasiSnapshotPreview1 as Api;
use wiggle::GuestMemory;

use super::errno::{self, Errno, errno_of};
use super::now;
use crate::sandbox::clock::Clocks;
use crate::sandbox::guest::Guest;
use crate::sandbox::meter::{POLL_CALL, SUBSCRIPTION};

/// The most subscriptions that one call may have.
const SUBSCRIPTIONS_MAX: u32 = 64;

/// The size of an event in both versions, in bytes.
const EVENT_BYTES: u32 = 32;

/// The tags of subscriptions and events.
const CLOCK: u8 = 0;
const READ: u8 = 1;
const WRITE: u8 = 2;

/// The offsets of a subscription's parts. The older version has an identifier before the
/// clock.
pub(super) struct Layout {
    bytes: u32,
    clock: usize,
    timeout: usize,
    flags: usize,
}

/// The layout of `wasi_snapshot_preview1`.
pub(super) const CURRENT: Layout = Layout {
    bytes: 48,
    clock: 16,
    timeout: 24,
    flags: 40,
};

/// The layout of `wasi_unstable`.
pub(super) const UNSTABLE: Layout = Layout {
    bytes: 56,
    clock: 24,
    timeout: 32,
    flags: 48,
};

/// The arguments of a call, as in its signature.
#[derive(Clone, Copy)]
pub(super) struct Arguments {
    pub(super) subscriptions: i32,
    pub(super) events: i32,
    pub(super) count: i32,
    pub(super) stored: i32,
}

struct Subscription {
    userdata: [u8; 8],
    interest: Interest,
}

enum Interest {
    /// A time that is so far ahead.
    Clock(Duration),
    /// A descriptor to read from.
    Read(u32),
    /// A descriptor to write to.
    Write(u32),
}

/// An event without its userdata.
struct Ready {
    tag: u8,
    bytes: u64,
    hangup: bool,
}

/// Waits for the first of the guest's subscriptions, and reports all that are ready then.
/// Returns the error number.
pub(super) async fn poll(
    memory: &mut [u8],
    guest: &mut Guest,
    layout: &Layout,
    arguments: Arguments,
) -> wasmtime::Result<i32> {
    guest.meter.owe(POLL_CALL);
    let count = arguments.count.cast_unsigned();
    if count > SUBSCRIPTIONS_MAX {
        return Ok(errno::INVAL);
    }
    guest.meter.owe(u64::from(count) * SUBSCRIPTION);
    let read = read(memory, layout, arguments, &guest.clocks);
    let (subscriptions, events, stored) = match read {
        Ok(read) => read,
        Err(error) => return Ok(error),
    };
    let mut ready = Vec::with_capacity(subscriptions.len());
    for subscription in &subscriptions {
        ready.push(match subscription.interest {
            Interest::Clock(_) => None,
            Interest::Read(fd) => match readable(guest, fd).await {
                Ok(found) => Some(found),
                Err(error) => return error.or_trap(),
            },
            Interest::Write(fd) => match writable(guest, fd).await {
                Ok(found) => Some(found),
                Err(error) => return error.or_trap(),
            },
        });
    }
    let waited = match ready.iter().any(Option::is_some) {
        true => Duration::ZERO,
        false => wait(&subscriptions, &guest.clocks).await,
    };
    let mut answered = 0;
    for (subscription, found) in subscriptions.iter().zip(ready) {
        let found = match subscription.interest {
            Interest::Clock(ahead) if ahead <= waited => Ready {
                tag: CLOCK,
                bytes: 0,
                hangup: false,
            },
            Interest::Clock(_) => continue,
            Interest::Read(_) | Interest::Write(_) => found.expect("every descriptor was checked"),
        };
        let at = events + answered * EVENT_BYTES as usize;
        let event = &mut memory[at..at + EVENT_BYTES as usize];
        event.fill(0);
        event[..8].copy_from_slice(&subscription.userdata);
        event[10] = found.tag;
        event[16..24].copy_from_slice(&found.bytes.to_le_bytes());
        event[24] = found.hangup.into();
        answered += 1;
    }
    let answered = u32::try_from(answered).expect("there are at most 64");
    memory[stored..stored + 4].copy_from_slice(&answered.to_le_bytes());
    Ok(errno::SUCCESS)
}

/// Waits until the first of these times is reached; returns how long that took by these
/// clocks.
async fn wait(subscriptions: &[Subscription], clocks: &Clocks) -> Duration {
    let clock = |subscription: &Subscription| match subscription.interest {
        Interest::Clock(ahead) => Some(ahead),
        Interest::Read(_) | Interest::Write(_) => None,
    };
    let first = subscriptions.iter().filter_map(clock).min();
    let first = first.expect("without a descriptor there are clocks");
    if first.is_zero() {
        // A timer would wait for its next tick, and more might be ready by then.
        return first;
    }
    let began_at = Instant::now();
    clocks.sleep(first).await;
    match clocks.are_frozen() {
        true => first,
        false => began_at.elapsed().max(first),
    }
}

/// The subscriptions, and the addresses of the events and of their number.
type Request = (Vec<Subscription>, usize, usize);

/// Reads all subscriptions before any event is written: a guest may let its events
/// overwrite them.
fn read(
    memory: &[u8],
    layout: &Layout,
    arguments: Arguments,
    clocks: &Clocks,
) -> Result<Request, i32> {
    let count = arguments.count.cast_unsigned();
    if count == 0 {
        // Waiting for nothing would never end, which WASI does not allow.
        return Err(errno::INVAL);
    }
    let place = |address, bytes, align| place(memory, address, bytes, align);
    let at = place(arguments.subscriptions, count * layout.bytes, 8)?;
    let events = place(arguments.events, count * EVENT_BYTES, 8)?;
    let stored = place(arguments.stored, 4, 4)?;
    let subscriptions = memory[at..].chunks_exact(layout.bytes as usize);
    let subscriptions = subscriptions
        .take(count as usize)
        .map(|bytes| subscription(bytes, layout, clocks))
        .collect::<Result<_, _>>()?;
    Ok((subscriptions, events, stored))
}

/// Returns where so many bytes begin, if they are within the memory.
fn place(memory: &[u8], address: i32, bytes: u32, align: u32) -> Result<usize, i32> {
    let at = address.cast_unsigned();
    if u64::from(at) + u64::from(bytes) > memory.len() as u64 {
        return Err(errno::FAULT);
    }
    match at % align {
        0 => Ok(at as usize),
        _ => Err(errno::INVAL),
    }
}

fn subscription(bytes: &[u8], layout: &Layout, clocks: &Clocks) -> Result<Subscription, i32> {
    let short = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let interest = match bytes[8] {
        CLOCK => {
            let absolute = match (bytes[layout.flags], bytes[layout.flags + 1]) {
                (0, 0) => false,
                (1, 0) => true,
                _ => return Err(errno::INVAL),
            };
            let shown = now(clocks, short(layout.clock).cast_signed()).ok_or(errno::INVAL)?;
            let from = if absolute { shown } else { 0 };
            Interest::Clock(Duration::from_nanos(
                long(layout.timeout).saturating_sub(from),
            ))
        }
        READ => Interest::Read(short(16)),
        WRITE => Interest::Write(short(16)),
        _ => return Err(errno::INVAL),
    };
    Ok(Subscription {
        userdata: bytes[..8].try_into().expect("eight bytes"),
        interest,
    })
}

/// Returns what can be read from a descriptor. Standard input and files are always ready.
async fn readable(guest: &mut Guest, fd: u32) -> Result<Ready, Errno> {
    let stat = allowed(guest, fd, Rights::FD_READ).await?;
    if stat.fs_filetype != Filetype::RegularFile {
        return Ok(Ready {
            tag: READ,
            bytes: 1,
            hangup: false,
        });
    }
    guest.meter.owe(guest.prices.file);
    let none = &mut GuestMemory::Unshared(&mut []);
    let size = Api::fd_filestat_get(&mut guest.wasi, none, Fd::from(fd)).await;
    let size = size.map_err(errno_of)?.size;
    let position = Api::fd_tell(&mut guest.wasi, none, Fd::from(fd)).map_err(errno_of)?;
    let bytes = size.saturating_sub(position);
    Ok(Ready {
        tag: READ,
        bytes,
        hangup: bytes == 0,
    })
}

/// Returns what can be written to a descriptor, which is always ready.
async fn writable(guest: &mut Guest, fd: u32) -> Result<Ready, Errno> {
    allowed(guest, fd, Rights::FD_WRITE).await?;
    Ok(Ready {
        tag: WRITE,
        bytes: 1,
        hangup: false,
    })
}

/// Returns the status of a descriptor that has this right. Folders can be neither read nor
/// written.
async fn allowed(guest: &mut Guest, fd: u32, right: Rights) -> Result<Fdstat, Errno> {
    if guest.quota.is_file(fd) {
        guest.meter.owe(guest.prices.file);
    }
    let wasi: &mut WasiP1Ctx = &mut guest.wasi;
    let none = &mut GuestMemory::Unshared(&mut []);
    let stat = Api::fd_fdstat_get(wasi, none, Fd::from(fd)).await;
    let stat = stat.map_err(errno_of)?;
    match stat.fs_filetype {
        Filetype::Directory => Err(Errno::Number(errno::BADF)),
        _ if stat.fs_rights_base.contains(right) => Ok(stat),
        _ => Err(Errno::Number(errno::BADF)),
    }
}
