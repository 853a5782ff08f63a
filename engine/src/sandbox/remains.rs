//! The memory and files of a run, and how they are freed once it has ended.
//!
//! The kernel frees memory a page at a time: some 20 ms for the most that a run may hold.
//! The run's report does not wait for that, and nothing is promised to other runs before
//! it is free.

use tenterhook_ledger::Resource;
use tokio::task::spawn_blocking;
use wasmtime::Store;

use super::guest::Guest;
use crate::permit::Permit;

/// Above this many bytes of memory or files, remains are large. The kernel takes some 20 ms
/// for 512 MiB.
const LARGE_BYTES: u64 = 64 << 20;

/// Frees a sandbox and then the permit that covers it; `bytes` is the most memory or files
/// that it may hold. Large remains are left to a thread that runs no guests, and not
/// waited for.
pub(super) fn give_back(store: Store<Guest>, mut permit: Permit, bytes: u64) {
    if bytes <= LARGE_BYTES {
        // The permit is dropped last.
        drop(store);
        return;
    }
    // The guest has ended: other guests need not wait for what follows.
    permit.guard_mut().shrink(Resource::RunSlots, 1);
    drop(spawn_blocking(move || {
        drop(store);
        return_to_kernel();
        drop(permit);
    }));
}

/// Returns what was freed to the kernel: the allocator keeps small blocks, of which files
/// are made, for the thread that had them.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "there is no safe way to ask the allocator")]
fn return_to_kernel() {
    // SAFETY: it only looks at what the allocator holds as free.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators return it by themselves.
#[cfg(not(target_env = "gnu"))]
fn return_to_kernel() {}
