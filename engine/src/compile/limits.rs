//! What one compilation may take, and how a compiler process is told.
//!
//! These bound the upload of a program. What its runs may take is in
//! [`Limits`](crate::Limits).

use std::ffi::OsStr;
use std::time::Duration;

use tenterhook_admission::WASM_MAX_BYTES;

/// Processor time that any program may take: a module of 2 MiB can be made of
/// loops that take this long, and one is to be refused before another's patience
/// ends.
const CPU_BASE: Duration = Duration::from_secs(10);

/// Processor time for each MiB beyond that. Real programs took from 1.1 s (Python in a
/// component of 18 MiB) to 2.3 s (the product's own shell, 10 MiB of code), the latter on
/// a machine with eight times as much to do as it had cores for, where the same work takes
/// longer. This is more than half again as much.
const CPU_PER_MIB: Duration = Duration::from_secs(4);

/// What one compilation may take. It is always bounded.
///
/// The bound that a program can reach by its own doing is processor time. Time by the
/// clock is none: how long a compilation waits for a core is the machine's matter, and
/// the same program is to have the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Processor time over all threads, in whole seconds, whatever the program's size.
    /// Default: none; then [`cpu_for`](Self::cpu_for) is in proportion to the size.
    pub cpu: Option<Duration>,
    /// Address space in bytes. Default: 2 GiB.
    pub memory: u64,
    /// How long, by the clock, a compiler may use no processor time at all before it
    /// counts as hung. Default: 60 s. One that waits for a core gets some within that,
    /// however many others want it too.
    pub stall: Duration,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            cpu: None,
            memory: 2 << 30,
            stall: Duration::from_secs(60),
        }
    }
}

impl CompileLimits {
    /// The most that an operator may set: ten minutes and 16 GiB.
    #[must_use]
    pub fn ceiling() -> Self {
        Self {
            cpu: Some(Duration::from_secs(600)),
            memory: 16 << 30,
            ..Self::default()
        }
    }

    /// The least that an operator may set; the compiler itself needs some of it.
    #[must_use]
    pub fn floor() -> Self {
        Self {
            cpu: Some(Duration::from_secs(1)),
            memory: 256 << 20,
            ..Self::default()
        }
    }

    /// The processor time that a program of so many bytes may take to compile: 10 s,
    /// and 4 s more for each MiB that it has or has begun, unless an operator has set
    /// another time.
    #[must_use]
    pub fn cpu_for(&self, bytes: u64) -> Duration {
        let mib = u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX);
        let proportional = CPU_BASE.saturating_add(CPU_PER_MIB.saturating_mul(mib));
        self.cpu.unwrap_or(proportional)
    }

    /// The arguments that tell a process of its limits for a program of so many bytes.
    pub(super) fn to_words(self, bytes: u64) -> [String; 2] {
        let cpu = self.cpu_for(bytes).as_secs();
        [cpu.to_string(), self.memory.to_string()]
    }

    /// Reads those arguments; none means the defaults for the largest program.
    pub(super) fn of_words<S: AsRef<OsStr>>(words: impl Iterator<Item = S>) -> Option<Self> {
        let numbers: Option<Vec<u64>> = words
            .take(3)
            .map(|word| word.as_ref().to_str()?.parse().ok())
            .collect();
        let default = Self::default();
        match numbers?.as_slice() {
            [] => Some(Self {
                cpu: Some(default.cpu_for(WASM_MAX_BYTES)),
                ..default
            }),
            [cpu, memory] => Some(Self {
                cpu: Some(Duration::from_secs(*cpu)),
                memory: *memory,
                // Whoever started the process watches over it.
                ..default
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_reads_the_limits_that_it_was_told() {
        let limits = CompileLimits {
            cpu: Some(Duration::from_secs(7)),
            memory: 300 << 20,
            ..CompileLimits::default()
        };
        assert_eq!(
            CompileLimits::of_words(limits.to_words(1).iter()),
            Some(limits)
        );
        let none: [&str; 0] = [];
        let most = CompileLimits::of_words(none.iter()).unwrap().cpu;
        assert_eq!(most, Some(Duration::from_secs(266)));
    }

    #[test]
    fn a_process_that_is_told_nonsense_has_no_limits_to_work_with() {
        for words in [&["7"][..], &["a", "b"], &["1", "2", "3"], &["-1", "2"]] {
            assert_eq!(CompileLimits::of_words(words.iter()), None, "{words:?}");
        }
    }

    #[test]
    fn the_time_is_in_proportion_to_the_size_unless_an_operator_sets_it() {
        let seconds = |limits: &CompileLimits, bytes| limits.cpu_for(bytes).as_secs();
        let limits = CompileLimits::default();
        for (bytes, expected) in [
            (0, 10),
            (1, 14),
            (1 << 20, 14),
            ((1 << 20) + 1, 18),
            (24 << 20, 106),
            (WASM_MAX_BYTES, 266),
        ] {
            assert_eq!(seconds(&limits, bytes), expected, "{bytes} bytes");
            assert_eq!(limits.to_words(bytes)[0], expected.to_string());
        }
        assert!(limits.cpu_for(u64::MAX) > limits.cpu_for(WASM_MAX_BYTES));
        let set = CompileLimits::floor();
        assert_eq!((seconds(&set, 1), seconds(&set, WASM_MAX_BYTES)), (1, 1));
    }
}
