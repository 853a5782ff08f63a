//! What one compilation may take, and how a compiler process is told.
//!
//! These bound the upload of a program. What its runs may take is in
//! [`Limits`](crate::Limits).

use std::ffi::OsStr;
use std::time::Duration;

/// What one compilation may take. It is always bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Processor time over all threads, in whole seconds. Default: 60 s; a component
    /// of 18 MiB, with Python in it, took 20 s.
    pub cpu: Duration,
    /// Address space in bytes. Default: 2 GiB.
    pub memory: u64,
    /// Time by the clock, whatever the process waits for. Default: 120 s, a minute
    /// more than of processor time, since the machine may be busy with others.
    pub wall: Duration,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_secs(60),
            memory: 2 << 30,
            wall: Self::wall_for(Duration::from_secs(60)),
        }
    }
}

impl CompileLimits {
    /// The most that an operator may set: five minutes and 16 GiB.
    #[must_use]
    pub fn ceiling() -> Self {
        Self {
            cpu: Duration::from_secs(300),
            memory: 16 << 30,
            wall: Self::wall_for(Duration::from_secs(300)),
        }
    }

    /// The least that an operator may set; the compiler itself needs some of it.
    #[must_use]
    pub fn floor() -> Self {
        Self {
            cpu: Duration::from_secs(1),
            memory: 256 << 20,
            wall: Self::wall_for(Duration::from_secs(1)),
        }
    }

    /// The time by the clock that suits so much processor time.
    #[must_use]
    pub fn wall_for(cpu: Duration) -> Duration {
        cpu.saturating_add(Duration::from_secs(60))
    }

    /// The arguments that tell a process of its limits.
    pub(super) fn to_words(self) -> [String; 2] {
        [self.cpu.as_secs().to_string(), self.memory.to_string()]
    }

    /// Reads those arguments; none means the defaults.
    pub(super) fn of_words<S: AsRef<OsStr>>(words: impl Iterator<Item = S>) -> Option<Self> {
        let numbers: Option<Vec<u64>> = words
            .take(3)
            .map(|word| word.as_ref().to_str()?.parse().ok())
            .collect();
        match numbers?.as_slice() {
            [] => Some(Self::default()),
            [cpu, memory] => Some(Self {
                cpu: Duration::from_secs(*cpu),
                memory: *memory,
                // Whoever started the process watches the clock.
                wall: Self::wall_for(Duration::from_secs(*cpu)),
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
            cpu: Duration::from_secs(7),
            memory: 300 << 20,
            wall: Duration::from_secs(67),
        };
        assert_eq!(
            CompileLimits::of_words(limits.to_words().iter()),
            Some(limits)
        );
        let none: [&str; 0] = [];
        assert_eq!(
            CompileLimits::of_words(none.iter()),
            Some(CompileLimits::default())
        );
    }

    #[test]
    fn a_process_that_is_told_nonsense_has_no_limits_to_work_with() {
        for words in [&["7"][..], &["a", "b"], &["1", "2", "3"], &["-1", "2"]] {
            assert_eq!(CompileLimits::of_words(words.iter()), None, "{words:?}");
        }
    }
}
