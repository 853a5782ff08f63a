//! Signals to the process stay away from locked-down threads.
//!
//! The kernel hands such a signal to any thread that does not block it. A handler may have to
//! make calls that the filter of these threads refuses: tokio's wakes its runtime by `send`,
//! and a SIGTERM that a guest's thread received was lost.

/// Signals that a thread causes itself. They are not blocked: wasmtime handles some of them,
/// and a blocked one ends the process without its handler.
const OWN: [libc::c_int; 7] = [
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGSEGV,
    libc::SIGSYS,
    libc::SIGTRAP,
];

/// Blocks all signals but its own on the calling thread, and on those that it starts.
#[expect(unsafe_code, reason = "no crate of ours wraps these calls")]
pub(super) fn block() {
    // SAFETY: the set is initialised by `sigfillset` before it is read, and all pointers are
    // valid for the calls. The mask is the calling thread's alone.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut set);
        for signal in OWN {
            libc::sigdelset(&raw mut set, signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    /// The signals that the calling thread blocks, by their numbers from 1.
    fn blocked() -> u64 {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
        u64::from_str_radix(mask.unwrap().trim(), 16).unwrap()
    }

    fn has(mask: u64, signal: libc::c_int) -> bool {
        mask & (1 << (signal - 1)) != 0
    }

    #[test]
    fn signals_to_the_process_are_blocked_and_those_of_the_thread_are_not() {
        let masks = std::thread::spawn(|| {
            super::block();
            let started = std::thread::spawn(blocked).join().unwrap();
            [blocked(), started]
        });
        for mask in masks.join().unwrap() {
            assert!(
                has(mask, libc::SIGTERM) && has(mask, libc::SIGINT),
                "{mask:x}"
            );
            assert!(
                !has(mask, libc::SIGSEGV) && !has(mask, libc::SIGILL),
                "{mask:x}"
            );
        }
    }
}
