//! Arguments, variables, time, randomness and the end of a module.

use wasmtime::{Caller, Linker};
use wasmtime_wasi::I32Exit;

use super::errno::{BADF, FAULT, Fault, INVAL, NOTSOCK, NOTSUP, OVERFLOW};
use super::layout::Layout;
use super::{Call, define};
use crate::sandbox::clock::Clocks;
use crate::sandbox::guest::Guest;
use crate::sandbox::random::REQUEST_MAX_BYTES;

/// Adds these calls.
pub(super) fn add(linker: &mut Linker<Guest>, layout: &'static Layout) -> wasmtime::Result<()> {
    define! {
        linker, layout:
        args_get(pointers: u32, text: u32);
        args_sizes_get(count: u32, bytes: u32);
        environ_get(pointers: u32, text: u32);
        environ_sizes_get(count: u32, bytes: u32);
        clock_res_get(clock: u32, resolution: u32);
        clock_time_get(clock: u32, _precision: u64, time: u32);
        random_get(buffer: u32, len: u32);
        sched_yield();
        proc_raise(_signal: u32);
        sock_recv(fd: u32, _data: u32, _count: u32, _flags: u32, _read: u32, _got: u32);
        sock_send(fd: u32, _data: u32, _count: u32, _flags: u32, _sent: u32);
        sock_shutdown(fd: u32, _how: u32);
    }
    if *layout == super::CURRENT {
        define! { linker, layout: sock_accept(fd: u32, _flags: u32, _accepted: u32); }
    }
    linker.func_wrap(
        layout.namespace,
        "proc_exit",
        |_: Caller<'_, Guest>, status: i32| -> wasmtime::Result<()> { Err(I32Exit(status).into()) },
    )?;
    Ok(())
}

fn args_get(call: Call<'_>, pointers: u32, text: u32) -> Result<(), Fault> {
    let Call { guest, memory, .. } = call;
    guest.meter.owe_bytes(len(&guest.world.args));
    put_texts(&guest.world.args, memory, pointers, text)
}

fn args_sizes_get(call: Call<'_>, count: u32, bytes: u32) -> Result<(), Fault> {
    let Call { guest, memory, .. } = call;
    put_sizes(&guest.world.args, memory, count, bytes)
}

fn environ_get(call: Call<'_>, pointers: u32, text: u32) -> Result<(), Fault> {
    let Call { guest, memory, .. } = call;
    guest.meter.owe_bytes(len(&guest.world.env));
    put_texts(&guest.world.env, memory, pointers, text)
}

fn environ_sizes_get(call: Call<'_>, count: u32, bytes: u32) -> Result<(), Fault> {
    let Call { guest, memory, .. } = call;
    put_sizes(&guest.world.env, memory, count, bytes)
}

fn put_sizes(
    texts: &[String],
    mut memory: super::Memory<'_>,
    count: u32,
    bytes: u32,
) -> Result<(), Fault> {
    memory.put_len(count, texts.len())?;
    memory.put_len(bytes, len(texts))
}

/// Returns how many bytes the texts take, with a NUL behind each.
fn len(texts: &[String]) -> usize {
    texts.iter().map(|text| text.len() + 1).sum()
}

/// Stores the texts, each with a NUL behind it, and where each begins.
fn put_texts(
    texts: &[String],
    mut memory: super::Memory<'_>,
    mut pointers: u32,
    mut at: u32,
) -> Result<(), Fault> {
    for text in texts {
        memory.put_u32(pointers, at)?;
        memory.put(at, text.as_bytes())?;
        let end = u32::try_from(text.len())
            .ok()
            .and_then(|len| at.checked_add(len));
        let end = end.ok_or(OVERFLOW)?;
        memory.put(end, b"\0")?;
        at = end.checked_add(1).ok_or(OVERFLOW)?;
        pointers = pointers.checked_add(4).ok_or(FAULT)?;
    }
    Ok(())
}

/// Returns the time of a clock in nanoseconds; `None` for the processor time clocks, which
/// would reveal the load of other guests.
pub(super) fn now(clocks: &Clocks, clock: u32) -> Option<u64> {
    match clock {
        0 => Some(clocks.wall_ns()),
        1 => Some(clocks.monotonic_ns()),
        _ => None,
    }
}

fn clock_res_get(mut call: Call<'_>, clock: u32, resolution: u32) -> Result<(), Fault> {
    match clock {
        0 | 1 => call.memory.put_u64(resolution, 1),
        2 | 3 => Err(BADF),
        _ => Err(INVAL),
    }
}

fn clock_time_get(mut call: Call<'_>, clock: u32, _: u64, time: u32) -> Result<(), Fault> {
    let now = now(&call.guest.clocks, clock).ok_or(INVAL)?;
    call.memory.put_u64(time, now)
}

fn random_get(mut call: Call<'_>, buffer: u32, len: u32) -> Result<(), Fault> {
    if u64::from(len) > REQUEST_MAX_BYTES {
        return Err(INVAL);
    }
    let buffer = call.memory.bytes_mut(buffer, len)?;
    call.guest.world.random.fill(buffer);
    Ok(())
}

fn sched_yield(_: Call<'_>) -> Result<(), Fault> {
    Ok(())
}

fn proc_raise(_: Call<'_>, _: u32) -> Result<(), Fault> {
    Err(NOTSUP)
}

/// There are no sockets, so no descriptor is one.
fn no_socket(call: &Call<'_>, fd: u32) -> Result<(), Fault> {
    call.guest.world.descriptors.get(fd)?;
    Err(NOTSOCK)
}

fn sock_accept(call: Call<'_>, fd: u32, _: u32, _: u32) -> Result<(), Fault> {
    no_socket(&call, fd)
}

fn sock_recv(call: Call<'_>, fd: u32, _: u32, _: u32, _: u32, _: u32, _: u32) -> Result<(), Fault> {
    no_socket(&call, fd)
}

fn sock_send(call: Call<'_>, fd: u32, _: u32, _: u32, _: u32, _: u32) -> Result<(), Fault> {
    no_socket(&call, fd)
}

fn sock_shutdown(call: Call<'_>, fd: u32, _: u32) -> Result<(), Fault> {
    no_socket(&call, fd)
}
