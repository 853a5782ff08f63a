//! Every bound on one run, what a hook may ask for, and how the two are merged.
//!
//! There is no way to say "unlimited": a bound that is not asked for has its default, and
//! none can exceed the ceiling.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::stack::GuestStack;

const MIB: u64 = 1 << 20;

/// Every bound on one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Units of work, about one per Wasm instruction; host calls cost some too.
    /// Default: 10 billion, about a second of one core. Ceiling: 200 billion.
    pub fuel: u64,
    /// Bytes of linear memory, tables included. Default: 64 MiB. Ceiling: 512 MiB.
    pub memory: u64,
    /// Wall-clock time, sleep included. Default: 30 s. Ceiling: 25 min.
    pub wall: Duration,
    /// Bytes of output kept, both streams together. Default: 1 MiB. Ceiling: 16 MiB.
    pub output: u64,
    /// Bytes that the run's files may hold. Default: 64 MiB. Ceiling: 1 GiB.
    pub files: u64,
    /// Files, folders and links that may exist. Default: 1,024. Ceiling: 65,536.
    pub inodes: u32,
    /// Descriptors open at a time. Default: 64. Ceiling: 1,024.
    pub descriptors: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: 10_000_000_000,
            memory: 64 * MIB,
            wall: Duration::from_secs(30),
            output: MIB,
            files: 64 * MIB,
            inodes: 1_024,
            descriptors: 64,
        }
    }
}

/// Memory that the host itself needs for a run, whatever its limits: its stack of the default
/// size, and the state of its instances. The pool allows 8 MiB of that for one component.
const RUN_BYTES: u64 = 8 * MIB;

/// One byte in so many that files hold is the host's for keeping them: a block of 4,096
/// bytes takes 16 more of the allocator and some 40 in the order of blocks.
const BLOCK_OVERHEAD: u64 = 64;

/// What the host may hold per byte of output: the run's own copy, in a buffer that
/// doubles; another one for followers, with a marker per piece if both streams alternate
/// byte by byte; and one that waits to be stored.
const OUTPUT_COPIES: u64 = 8;

impl Limits {
    /// Returns the highest bounds that an operator may allow.
    #[must_use]
    pub fn ceiling() -> Self {
        Self {
            fuel: 200_000_000_000,
            memory: 512 * MIB,
            wall: Duration::from_secs(25 * 60),
            output: 16 * MIB,
            files: 1024 * MIB,
            inodes: 65_536,
            descriptors: 1_024,
        }
    }

    /// Returns small bounds that a hostile guest reaches at once.
    #[must_use]
    pub fn for_testing() -> Self {
        Self {
            fuel: 2_000_000_000,
            wall: Duration::from_secs(10),
            output: 64 * 1024,
            files: MIB,
            inodes: 32,
            descriptors: 16,
            ..Self::default()
        }
    }

    /// Returns the bytes of host memory that a run with these limits, on such a stack, may
    /// hold, apart from its files.
    pub(crate) fn memory_without_files(&self, stack: GuestStack) -> u64 {
        RUN_BYTES
            .saturating_add(stack.extra_memory())
            .saturating_add(self.memory)
            .saturating_add(self.output_memory())
    }

    /// Returns the bytes of host memory that its output may hold.
    pub(crate) fn output_memory(&self) -> u64 {
        self.output.saturating_mul(OUTPUT_COPIES)
    }

    /// Returns the bytes of host memory that its files may hold.
    pub(crate) fn files_memory(&self) -> u64 {
        self.files
            .saturating_add(self.files / BLOCK_OVERHEAD)
            .saturating_add(self.inodes_memory())
    }

    fn inodes_memory(&self) -> u64 {
        u64::from(self.inodes) * tenterhook_machine::INODE_BYTES
    }

    /// Returns these limits, lowered so that a run of any program, on such a stack, fits into
    /// this much host memory.
    #[must_use]
    pub fn fitting(&self, memory: u64, stack: GuestStack) -> Self {
        let rest = memory.saturating_sub(RUN_BYTES.saturating_add(stack.extra_memory()));
        let wanted = self
            .memory
            .saturating_add(self.files_memory())
            .saturating_add(self.output_memory());
        // Each is lowered by the same part. Whole mebibytes read better than fractions of
        // a host's odd amount.
        let part = |bytes: u64| {
            if wanted <= rest {
                return bytes;
            }
            let part = u128::from(bytes) * u128::from(rest) / u128::from(wanted);
            let part = u64::try_from(part).unwrap_or(u64::MAX);
            let round = if part >= MIB { MIB } else { 1 };
            (part / round * round).max(1)
        };
        let inodes = part(self.inodes_memory()) / tenterhook_machine::INODE_BYTES;
        Self {
            memory: part(self.memory),
            files: part(self.files),
            output: part(self.output),
            inodes: u32::try_from(inodes.max(1)).unwrap_or(u32::MAX),
            ..self.clone()
        }
    }

    /// Returns the stricter of the two in every bound.
    #[must_use]
    pub fn within(&self, ceiling: &Self) -> Self {
        Self {
            fuel: self.fuel.min(ceiling.fuel),
            memory: self.memory.min(ceiling.memory),
            wall: self.wall.min(ceiling.wall),
            output: self.output.min(ceiling.output),
            files: self.files.min(ceiling.files),
            inodes: self.inodes.min(ceiling.inodes),
            descriptors: self.descriptors.min(ceiling.descriptors),
        }
    }
}

/// The bounds that a hook asks for. What it leaves out has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedLimits {
    /// See [`Limits::fuel`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// See [`Limits::memory`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// See [`Limits::wall`]; milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
    /// See [`Limits::output`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
    /// See [`Limits::files`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files_bytes: Option<u64>,
    /// See [`Limits::inodes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inodes: Option<u32>,
    /// See [`Limits::descriptors`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub descriptors: Option<u32>,
}

/// A bound was asked for that is zero or above what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`limits.{field}` must be from 1 to {ceiling}, not {asked}")]
pub struct OverCeiling {
    /// The field of [`AskedLimits`].
    pub field: &'static str,
    /// What was asked for.
    pub asked: u64,
    /// The most that is allowed.
    pub ceiling: u64,
}

impl AskedLimits {
    /// Fills in what was left out from `defaults`, and checks the rest against `ceiling`.
    ///
    /// A default above the ceiling is lowered to it silently: it was not asked for.
    ///
    /// # Errors
    ///
    /// [`OverCeiling`] for the first bound that is zero or above its ceiling.
    pub fn resolve(&self, defaults: &Limits, ceiling: &Limits) -> Result<Limits, OverCeiling> {
        let ask = |field, asked: Option<u64>, default: u64, ceiling: u64| match asked {
            Some(asked) if asked == 0 || asked > ceiling => Err(OverCeiling {
                field,
                asked,
                ceiling,
            }),
            Some(asked) => Ok(asked),
            None => Ok(default.min(ceiling)),
        };
        let ask_u32 = |field, asked: Option<u32>, default: u32, ceiling: u32| {
            ask(field, asked.map(u64::from), default.into(), ceiling.into())
                .map(|value| u32::try_from(value).expect("the ceiling is a u32"))
        };
        let millis = |wall: Duration| u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
        Ok(Limits {
            fuel: ask("fuel", self.fuel, defaults.fuel, ceiling.fuel)?,
            memory: ask(
                "memory_bytes",
                self.memory_bytes,
                defaults.memory,
                ceiling.memory,
            )?,
            wall: Duration::from_millis(ask(
                "wall_ms",
                self.wall_ms,
                millis(defaults.wall),
                millis(ceiling.wall),
            )?),
            output: ask(
                "output_bytes",
                self.output_bytes,
                defaults.output,
                ceiling.output,
            )?,
            files: ask(
                "files_bytes",
                self.files_bytes,
                defaults.files,
                ceiling.files,
            )?,
            inodes: ask_u32("inodes", self.inodes, defaults.inodes, ceiling.inodes)?,
            descriptors: ask_u32(
                "descriptors",
                self.descriptors,
                defaults.descriptors,
                ceiling.descriptors,
            )?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unrequested_limits_have_their_defaults() {
        let limits = AskedLimits::default()
            .resolve(&Limits::default(), &Limits::ceiling())
            .unwrap();
        assert_eq!(limits, Limits::default());
    }

    #[test]
    fn a_limit_above_its_ceiling_is_refused_by_name() {
        let asked = AskedLimits {
            memory_bytes: Some(1 << 40),
            ..AskedLimits::default()
        };
        let error = asked
            .resolve(&Limits::default(), &Limits::ceiling())
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "`limits.memory_bytes` must be from 1 to 536870912, not 1099511627776"
        );
    }

    #[test]
    fn limits_are_lowered_in_proportion_until_they_fit() {
        let (all, stack) = (Limits::ceiling(), GuestStack::MOST);
        let needed = all.memory_without_files(stack) + all.files_memory();
        assert_eq!(all.fitting(needed, stack), all);
        let half = all.fitting(needed / 2, stack);
        assert!(half.memory_without_files(stack) + half.files_memory() <= needed / 2);
        assert!(half.memory > all.memory / 2 - 16 * MIB);
        assert!((30_000..33_000).contains(&half.inodes), "{}", half.inodes);
        let nothing = all.fitting(0, stack);
        assert_eq!((nothing.memory, nothing.inodes), (1, 1));
    }

    #[test]
    fn no_limit_can_be_zero() {
        let asked = AskedLimits {
            fuel: Some(0),
            ..AskedLimits::default()
        };
        assert!(
            asked
                .resolve(&Limits::default(), &Limits::ceiling())
                .is_err()
        );
    }
}
