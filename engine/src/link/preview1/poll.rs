//! Waiting in preview 1: all of `poll_oneoff`, for both versions.
//!
//! Every wait is a timer, dropped with its run.

use std::time::Duration;

use tenterhook_machine::{Kind, NodeId};
use wasmtime::{Caller, Linker};

use super::errno::{BADF, FAULT, Fault, INVAL};
use super::layout::{Layout, Subscription as Offsets};
use super::process::now;
use super::{Call, parts, rights};
use crate::sandbox::clock::Clocks;
use crate::sandbox::descriptors::Descriptor;
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

/// The arguments of a call, as in its signature.
#[derive(Clone, Copy)]
struct Arguments {
    subscriptions: u32,
    events: u32,
    count: u32,
    stored: u32,
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

/// Adds the call.
pub(super) fn add(linker: &mut Linker<Guest>, layout: &'static Layout) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        layout.namespace,
        "poll_oneoff",
        move |mut caller: Caller<'_, Guest>,
              (subscriptions, events, count, stored): (u32, u32, u32, u32)| {
            Box::new(async move {
                let arguments = Arguments {
                    subscriptions,
                    events,
                    count,
                    stored,
                };
                Fault::answer(poll(parts(&mut caller, layout)?, arguments).await)
            })
        },
    )?;
    Ok(())
}

/// Waits for the first of the guest's subscriptions, and reports all that are ready then.
async fn poll(mut call: Call<'_>, arguments: Arguments) -> Result<(), Fault> {
    call.guest.meter.owe(POLL_CALL);
    let count = arguments.count;
    if count > SUBSCRIPTIONS_MAX {
        return Err(INVAL);
    }
    call.guest.meter.owe(u64::from(count) * SUBSCRIPTION);
    let offsets = &call.layout.subscription;
    let read = read(call.memory.0, offsets, arguments, &call.guest.clocks);
    let (subscriptions, events, stored) = read?;
    let mut ready = Vec::with_capacity(subscriptions.len());
    for subscription in &subscriptions {
        ready.push(match subscription.interest {
            Interest::Clock(_) => None,
            Interest::Read(fd) => Some(readable(&mut call, fd)?),
            Interest::Write(fd) => Some(writable(&mut call, fd)?),
        });
    }
    let waited = match ready.iter().any(Option::is_some) {
        true => Duration::ZERO,
        false => wait(&subscriptions, &call.guest.clocks).await,
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
        let event = &mut call.memory.0[at..at + EVENT_BYTES as usize];
        event.fill(0);
        event[..8].copy_from_slice(&subscription.userdata);
        event[10] = found.tag;
        event[16..24].copy_from_slice(&found.bytes.to_le_bytes());
        event[24] = found.hangup.into();
        answered += 1;
    }
    let answered = u32::try_from(answered).expect("there are at most 64");
    call.memory.0[stored..stored + 4].copy_from_slice(&answered.to_le_bytes());
    Ok(())
}

/// Waits until the first of these times is reached; returns how long that took.
async fn wait(subscriptions: &[Subscription], clocks: &Clocks) -> Duration {
    let clock = |subscription: &Subscription| match subscription.interest {
        Interest::Clock(ahead) => Some(ahead),
        Interest::Read(_) | Interest::Write(_) => None,
    };
    let first = subscriptions.iter().filter_map(clock).min();
    let first = first.expect("without a descriptor there are clocks");
    if first.is_zero() {
        return first;
    }
    clocks.sleep(first).await;
    first
}

/// The subscriptions, and the addresses of the events and of their number.
type Request = (Vec<Subscription>, usize, usize);

/// Reads all subscriptions before any event is written: a guest may let its events
/// overwrite them.
fn read(
    memory: &[u8],
    offsets: &Offsets,
    arguments: Arguments,
    clocks: &Clocks,
) -> Result<Request, Fault> {
    let count = arguments.count;
    if count == 0 {
        // Waiting for nothing would never end, which WASI does not allow.
        return Err(INVAL);
    }
    let place = |address, bytes, align| place(memory, address, bytes, align);
    let at = place(arguments.subscriptions, count * offsets.bytes, 8)?;
    let events = place(arguments.events, count * EVENT_BYTES, 8)?;
    let stored = place(arguments.stored, 4, 4)?;
    let subscriptions = memory[at..].chunks_exact(offsets.bytes as usize);
    let subscriptions = subscriptions
        .take(count as usize)
        .map(|bytes| subscription(bytes, offsets, clocks))
        .collect::<Result<_, _>>()?;
    Ok((subscriptions, events, stored))
}

/// Returns where so many bytes begin, if they are within the memory.
fn place(memory: &[u8], at: u32, bytes: u32, align: u32) -> Result<usize, Fault> {
    if u64::from(at) + u64::from(bytes) > memory.len() as u64 {
        return Err(FAULT);
    }
    match at % align {
        0 => Ok(at as usize),
        _ => Err(INVAL),
    }
}

fn subscription(bytes: &[u8], offsets: &Offsets, clocks: &Clocks) -> Result<Subscription, Fault> {
    let short = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let interest = match bytes[8] {
        CLOCK => {
            let absolute = match (bytes[offsets.flags], bytes[offsets.flags + 1]) {
                (0, 0) => false,
                (1, 0) => true,
                _ => return Err(INVAL),
            };
            let shown = now(clocks, short(offsets.clock)).ok_or(INVAL)?;
            let from = if absolute { shown } else { 0 };
            Interest::Clock(Duration::from_nanos(
                long(offsets.timeout).saturating_sub(from),
            ))
        }
        READ => Interest::Read(short(16)),
        WRITE => Interest::Write(short(16)),
        _ => return Err(INVAL),
    };
    Ok(Subscription {
        userdata: bytes[..8].try_into().expect("eight bytes"),
        interest,
    })
}

/// Returns what can be read from a descriptor. Standard input and files are always ready.
fn readable(call: &mut Call<'_>, fd: u32) -> Result<Ready, Fault> {
    let Some((node, position)) = allowed(call, fd, rights::FD_READ)? else {
        return Ok(Ready {
            tag: READ,
            bytes: 1,
            hangup: false,
        });
    };
    let bytes = call.files().size(node).saturating_sub(position);
    Ok(Ready {
        tag: READ,
        bytes,
        hangup: bytes == 0,
    })
}

/// Returns what can be written to a descriptor, which is always ready.
fn writable(call: &mut Call<'_>, fd: u32) -> Result<Ready, Fault> {
    allowed(call, fd, rights::FD_WRITE)?;
    Ok(Ready {
        tag: WRITE,
        bytes: 1,
        hangup: false,
    })
}

/// Checks that a descriptor has this right; returns the regular file that it stands for,
/// and its position. Folders can be neither read nor written.
fn allowed(call: &mut Call<'_>, fd: u32, right: u64) -> Result<Option<(NodeId, u64)>, Fault> {
    let file = match call.guest.world.descriptors.get(fd)? {
        Descriptor::Stdin if right == rights::FD_READ => return Ok(None),
        Descriptor::Output(_) if right == rights::FD_WRITE => return Ok(None),
        Descriptor::Stdin | Descriptor::Output(_) => return Err(BADF),
        Descriptor::File(file) if file.rights & right == 0 => return Err(BADF),
        Descriptor::File(file) => file,
    };
    let (node, position) = (file.node, file.position);
    match call.files().kind(node) {
        Kind::Folder => Err(BADF),
        Kind::File => Ok(Some((node, position))),
        Kind::Link | Kind::Device(_) => Ok(None),
    }
}
