//! What a run had, and how that is given back once it is over.
//!
//! The kernel takes memory and files back a page and a file at a time: some 20 ms for
//! what a run may hold at most. Nobody who waits for the run's report waits for that,
//! and nobody else is promised what is not free yet.

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
/// folder on a disk is: a process that ended first would leave it behind.
pub(super) async fn give_back(
    store: Store<Guest>,
    mut scratch: Option<Scratch>,
    permit: Permit,
    bytes: u64,
) {
    let folder = scratch.as_mut().and_then(Scratch::take_plain);
    // Files are closed before their folder goes, and the permit is free at last.
    let remains = (store, scratch, permit);
    let small = if bytes > LARGE_BYTES {
        drop(elsewhere(remains));
        None
    } else {
        Some(remains)
    };
    if let Some(folder) = folder {
        let gone = elsewhere((small, folder));
        gone.await.expect("what belongs to a run can be dropped");
    }
}

/// Drops something on a thread that runs no guests.
fn elsewhere(remains: impl Send + 'static) -> JoinHandle<()> {
    spawn_blocking(move || drop(remains))
}
