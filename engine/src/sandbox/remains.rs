//! What a run had, and how that is given back once it is over.
//!
//! The kernel takes memory and files back a page and a file at a time: some 20 ms for
//! what a run may hold at most. Nobody who waits for the run's report waits for that,
//! and nobody else is promised what is not free yet.

use tenterhook_ledger::Resource;
use tokio::task::{JoinHandle, spawn_blocking};
use wasmtime::Store;

use super::guest::Guest;
use super::scratch::Scratch;
use crate::permit::Permit;

/// Bytes of memory or files from which on remains are large. The kernel takes some 20 ms
/// for 512 MiB.
const LARGE_BYTES: u64 = 64 << 20;

/// Gives back a sandbox, its scratch folder, and what covers both; `bytes` is the most
/// that they may hold of memory or files.
///
/// What is large is left to a thread that runs no guests, and not waited for. A
/// folder on a disk is, by whoever takes the handle: a process that ended first would leave
/// it behind.
pub(super) fn give_back(
    store: Store<Guest>,
    mut scratch: Option<Scratch>,
    mut permit: Permit,
    bytes: u64,
) -> Option<JoinHandle<()>> {
    let folder = scratch.as_mut().and_then(Scratch::take_plain);
    let is_large = bytes > LARGE_BYTES;
    if !is_large && folder.is_none() {
        // Files are closed before their folder goes, and the permit is free at last.
        drop(store);
        drop(scratch);
        return None;
    }
    // The guest is over: others need not wait with theirs for what follows.
    permit.guard_mut().shrink(Resource::RunSlots, 1);
    let remains = (store, scratch, permit);
    if is_large {
        drop(elsewhere(remains));
        return folder.map(elsewhere);
    }
    Some(elsewhere((remains, folder)))
}

/// Drops something on a thread that runs no guests.
fn elsewhere(remains: impl Send + 'static) -> JoinHandle<()> {
    spawn_blocking(move || drop(remains))
}
