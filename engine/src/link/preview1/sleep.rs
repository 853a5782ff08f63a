//! Sleeping in preview 1: a wait for nothing but one time.
//!
//! With a frozen clock such a wait is answered at once, so it is read here from
//! the guest's memory; all other waits go to wasmtime-wasi as they are.

use std::time::Duration;

use crate::sandbox::clock::Clocks;

/// A wait for nothing but one time, counted from now, and where its answer goes.
pub(super) struct Sleep {
    pub(super) time: Duration,
    pub(super) userdata: [u8; 8],
}

/// Bytes of a subscription and of an event in both versions of the ABI that we
/// read ourselves: tag at 8, clock id at 16, time at 24 (current) or 32 (older).
const SUBSCRIPTION_BYTES: usize = 48;

pub(super) fn lone_sleep(
    memory: &[u8],
    at: i32,
    layout: &ClockLayout,
    clocks: &Clocks,
) -> Option<Sleep> {
    const CLOCK_TAG: u8 = 0;
    const WALL_CLOCK: u8 = 0;
    let at = usize::try_from(at.cast_unsigned()).ok()?;
    let size = SUBSCRIPTION_BYTES.max(layout.size);
    let subscription = memory.get(at..at.checked_add(size)?)?;
    if subscription[8] != CLOCK_TAG {
        return None;
    }
    let time = subscription[layout.timeout..layout.timeout + 8]
        .try_into()
        .ok()?;
    let time = Duration::from_nanos(u64::from_le_bytes(time));
    let absolute = subscription[layout.flags] & 1 == 1;
    let now = match (absolute, subscription[layout.clock]) {
        (false, _) => Duration::ZERO,
        (true, WALL_CLOCK) => clocks.wall(),
        (true, _) => Duration::from_nanos(clocks.monotonic_ns()),
    };
    Some(Sleep {
        time: time.saturating_sub(now),
        userdata: subscription[..8].try_into().ok()?,
    })
}

/// Where a clock subscription has its parts. The older version carries an
/// identifier before the clock's id.
pub(super) struct ClockLayout {
    pub(super) size: usize,
    pub(super) clock: usize,
    pub(super) timeout: usize,
    pub(super) flags: usize,
}

/// Writes the answer to a lone sleep: one event that says the time has passed.
pub(super) fn answer_sleep(
    memory: &mut [u8],
    events: i32,
    count: i32,
    userdata: [u8; 8],
) -> Option<()> {
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

/// The layout of `wasi_snapshot_preview1`.
pub(super) const CURRENT: ClockLayout = ClockLayout {
    size: 48,
    clock: 16,
    timeout: 24,
    flags: 40,
};

/// The layout of `wasi_unstable`.
pub(super) const UNSTABLE: ClockLayout = ClockLayout {
    size: 56,
    clock: 24,
    timeout: 32,
    flags: 48,
};
