//! WASI preview 1 as it is, for guests that call it in ways the standard library
//! never would.
//!
//! The functions here are safe to call: a wrong pointer is what some of the
//! guests are about, and only ever hurts the guest that passes it.

/// Bytes of a subscription to [`poll`].
pub const SUBSCRIPTION_BYTES: usize = 48;

/// The clock that only ever goes forward.
pub const MONOTONIC: u32 = 1;

/// A wait for one clock.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct Sleep([u8; SUBSCRIPTION_BYTES]);

impl Sleep {
    /// Waits until that many nanoseconds from now, or until that time.
    #[must_use]
    pub fn new(clock: u32, nanoseconds: u64, until: Until) -> Self {
        let mut bytes = [0; SUBSCRIPTION_BYTES];
        bytes[16..20].copy_from_slice(&clock.to_le_bytes());
        bytes[24..32].copy_from_slice(&nanoseconds.to_le_bytes());
        bytes[40] = match until {
            Until::FromNow => 0,
            Until::Time => 1,
        };
        Self(bytes)
    }
}

/// What the time in a [`Sleep`] is counted from.
#[derive(Clone, Copy)]
pub enum Until {
    /// It is a duration.
    FromNow,
    /// It is a reading of the clock.
    Time,
}

#[expect(unsafe_code, reason = "these are the host's functions")]
mod raw {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        pub(super) fn clock_time_get(clock: u32, precision: u64, time: usize) -> u16;
        pub(super) fn fd_write(fd: u32, pieces: usize, count: usize, written: usize) -> u16;
        pub(super) fn poll_oneoff(subs: usize, events: usize, count: usize, stored: usize) -> u16;
        pub(super) fn random_get(buffer: usize, len: usize) -> u16;
        pub(super) fn sched_yield() -> u16;
        pub(super) fn sock_accept(fd: u32, flags: u16, new: usize) -> u16;
        pub(super) fn sock_recv(
            fd: u32,
            pieces: usize,
            count: usize,
            flags: u16,
            len: usize,
            out: usize,
        ) -> u16;
        pub(super) fn sock_send(
            fd: u32,
            pieces: usize,
            count: usize,
            flags: u16,
            len: usize,
        ) -> u16;
        pub(super) fn sock_shutdown(fd: u32, how: u8) -> u16;
        pub(super) fn path_open(
            fd: u32,
            dirflags: u32,
            path: usize,
            path_len: usize,
            oflags: u16,
            base: u64,
            inheriting: u64,
            fdflags: u16,
            opened: usize,
        ) -> u16;
    }
}

macro_rules! call {
    ($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*)) => {
        $(#[$doc])*
        pub fn $name($($arg: $type),*) -> u16 {
            #[expect(unsafe_code, reason = "the sandbox is what keeps these calls safe")]
            // SAFETY: the host checks every address; at worst this guest's own memory suffers.
            unsafe { raw::$name($($arg),*) }
        }
    };
}

call!(
    /// Reads a clock into the eight bytes at `time`.
    clock_time_get(clock: u32, precision: u64, time: usize)
);
call!(
    /// Writes pieces of memory to a descriptor.
    fd_write(fd: u32, pieces: usize, count: usize, written: usize)
);
call!(
    /// Waits for any of `count` subscriptions.
    poll_oneoff(subs: usize, events: usize, count: usize, stored: usize)
);
call!(
    /// Fills a buffer with random bytes.
    random_get(buffer: usize, len: usize)
);
call!(
    /// Gives way to others.
    sched_yield()
);
call!(
    /// Takes a connection from a listening socket.
    sock_accept(fd: u32, flags: u16, new: usize)
);
call!(
    /// Reads from a socket.
    sock_recv(fd: u32, pieces: usize, count: usize, flags: u16, len: usize, out: usize)
);
call!(
    /// Writes to a socket.
    sock_send(fd: u32, pieces: usize, count: usize, flags: u16, len: usize)
);
call!(
    /// Closes one direction of a socket.
    sock_shutdown(fd: u32, how: u8)
);
call!(
    /// Opens a path below a folder.
    #[expect(clippy::too_many_arguments, reason = "WASI has as many")]
    path_open(
        fd: u32,
        dirflags: u32,
        path: usize,
        path_len: usize,
        oflags: u16,
        base: u64,
        inheriting: u64,
        fdflags: u16,
        opened: usize
    )
);

/// Fills `buffer` with random bytes; answers the error number.
pub fn random(buffer: &mut [u8]) -> u16 {
    random_get(buffer.as_mut_ptr() as usize, buffer.len())
}

/// Reads a clock, in nanoseconds.
#[must_use]
pub fn now(clock: u32) -> u64 {
    let mut time = [0_u8; 8];
    clock_time_get(clock, 0, time.as_mut_ptr() as usize);
    u64::from_le_bytes(time)
}

/// Waits for the first of these; answers the error number.
#[must_use]
pub fn poll(sleeps: &[Sleep]) -> u16 {
    let mut events = vec![0_u64; sleeps.len() * 4];
    let mut stored = 0_u32;
    poll_oneoff(
        sleeps.as_ptr() as usize,
        events.as_mut_ptr() as usize,
        sleeps.len(),
        &raw mut stored as usize,
    )
}
