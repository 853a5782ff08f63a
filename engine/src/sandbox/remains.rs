//! The memory and files of a run, and how they are freed once it has ended.
//!
//! The kernel frees memory and files a page and a file at a time: some 20 ms for the most
//! that a run may hold. The run's report does not wait for that, and nothing is promised to
//! other runs before it is free.

use tenterhook_ledger::Resource;
use tokio::task::{JoinHandle, spawn_blocking};
use wasmtime::Store;

use super::guest::Guest;
use super::scratch::Scratch;
use crate::permit::Permit;

/// Above this many bytes of memory or files, remains are large. The kernel takes some 20 ms
/// for 512 MiB.
const LARGE_BYTES: u64 = 64 << 20;

/// Frees a sandbox, its scratch folder, and then the permit that covers both; `bytes` is
/// the most memory or files that they may hold.
///
/// Large remains are left to a thread that runs no guests, and not waited for. A folder on
/// disk has to be waited for, by the caller through the handle: a process that ended first
/// would leave it behind.
pub(super) fn give_back(
    store: Store<Guest>,
    mut scratch: Option<Scratch>,
    mut permit: Permit,
    bytes: u64,
) -> Option<JoinHandle<()>> {
    let folder = scratch.as_mut().and_then(Scratch::take_plain);
    let is_large = bytes > LARGE_BYTES;
    if !is_large && folder.is_none() {
        // Files are closed before their folder is removed, and the permit is dropped last.
        drop(store);
        drop(scratch);
        return None;
    }
    // The guest has ended: other guests need not wait for what follows.
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
