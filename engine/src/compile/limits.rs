//! What one compilation may take, and how that is passed to a compiler process.
//!
//! These bound the upload of a program. What its runs may take is in
//! [`Limits`](crate::Limits).

use std::ffi::OsStr;
use std::time::Duration;

use tenterhook_admission::WASM_MAX_BYTES;

/// Processor time that any program may take: a module of 2 MiB can consist of loops that
/// take this long, and it must be refused before others have waited too long for it.
const CPU_BASE: Duration = Duration::from_secs(10);

/// Additional processor time for each MiB. Real programs took from 1.1 s (Python in a
/// component of 18 MiB) to 2.3 s (our own shell, 10 MiB of code), the latter on a machine
/// that was overloaded eightfold, where the same work takes longer. This is more than half
/// again as much.
const CPU_PER_MIB: Duration = Duration::from_secs(4);

/// What one compilation may take. It is always bounded.
///
/// The bound that a program can reach by itself is processor time. Wall-clock time is not
/// bounded: how long a compilation waits for a core depends on the machine, and the same
/// program must get the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Processor time over all threads, in whole seconds, whatever the program's size.
    /// Default: none; [`cpu_for`](Self::cpu_for) is then proportional to the size.
    pub cpu: Option<Duration>,
    /// Address space in bytes. Default: 2 GiB.
    pub memory: u64,
    /// How long, in wall-clock time, a compiler may use no processor time at all before it
    /// counts as hung. Default: 60 s. One that waits for a core gets some within that time,
    /// whatever the load.
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
    /// Returns the most that an operator may set: ten minutes and 16 GiB.
    #[must_use]
    pub fn ceiling() -> Self {
        Self {
            cpu: Some(Duration::from_secs(600)),
            memory: 16 << 30,
            ..Self::default()
        }
    }

    /// Returns the least that an operator may set; the compiler itself needs some of it.
    #[must_use]
    pub fn floor() -> Self {
        Self {
            cpu: Some(Duration::from_secs(1)),
            memory: 256 << 20,
            ..Self::default()
        }
    }

    /// Returns the processor time that compiling a program of this size may take: 10 s, and
    /// 4 s more for each MiB or part of one, unless an operator has set another time.
    #[must_use]
    pub fn cpu_for(&self, bytes: u64) -> Duration {
        let mib = u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(u32::MAX);
        let proportional = CPU_BASE.saturating_add(CPU_PER_MIB.saturating_mul(mib));
        self.cpu.unwrap_or(proportional)
    }

    /// Returns the arguments that pass a process its limits for a program of this size.
    pub(super) fn to_words(self, bytes: u64) -> [String; 2] {
        let cpu = self.cpu_for(bytes).as_secs();
        [cpu.to_string(), self.memory.to_string()]
    }

    /// Parses those arguments; none means the defaults for the largest program.
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
                // The parent process enforces this one.
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
    fn a_process_parses_the_limits_that_it_was_passed() {
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
        assert_eq!(most, Some(Duration::from_secs(522)));
    }

    #[test]
    fn invalid_arguments_are_not_limits() {
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
            (32 << 20, 138),
            (WASM_MAX_BYTES, 522),
        ] {
            assert_eq!(seconds(&limits, bytes), expected, "{bytes} bytes");
            assert_eq!(limits.to_words(bytes)[0], expected.to_string());
        }
        assert!(limits.cpu_for(u64::MAX) > limits.cpu_for(WASM_MAX_BYTES));
        let set = CompileLimits::floor();
        assert_eq!((seconds(&set, 1), seconds(&set, WASM_MAX_BYTES)), (1, 1));
    }
}
