//! How much memory the processes take that compile for this one: they are
//! watched, since the kernel reports their peak only while they live.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::host;

/// Between two looks. What a process takes after the last one is not seen.
const EVERY: Duration = Duration::from_millis(1);

/// Does something; answers also the most memory that one compiler process held
/// meanwhile, in bytes. None is 0.
pub(crate) fn watch<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let (over, peak) = (AtomicBool::new(false), AtomicU64::new(0));
    let done = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                thread::sleep(EVERY);
                if let Some(process) = find() {
                    follow(process, &over, &peak);
                }
            }
        });
        let done = work();
        over.store(true, Ordering::Relaxed);
        done
    });
    (done, peak.into_inner())
}

fn follow(process: u32, over: &AtomicBool, peak: &AtomicU64) {
    while let Some(bytes) = host::memory_peak_bytes_of(process) {
        peak.fetch_max(bytes, Ordering::Relaxed);
        if over.load(Ordering::Relaxed) {
            return;
        }
        thread::sleep(EVERY);
    }
}

/// A process that this one has started and that compiles. Before it begins with
/// that it is a copy of this one, with the memory of this one.
fn find() -> Option<u32> {
    let own = std::process::id();
    let parent = format!("\nPPid:\t{own}\n");
    fs::read_dir("/proc").ok()?.find_map(|entry| {
        let process: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let compiles = process > own
            && fs::read_to_string(format!("/proc/{process}/status"))
                .is_ok_and(|status| status.contains(&parent))
            && fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|words| {
                words
                    .split(|byte| *byte == 0)
                    .nth(1)
                    .is_some_and(|word| word == crate::COMPILE.as_bytes())
            });
        compiles.then_some(process)
    })
}
