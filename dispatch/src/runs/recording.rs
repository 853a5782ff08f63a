//! What makes an attempt repeatable, beside what its execution and its event say.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tenterhook_engine::{Limits, Report, Seed};

use crate::runs::execution::AttemptRecord;

/// What makes an attempt repeatable. With program, event, arguments and variables, which its
/// execution has, it decides everything that the attempt does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// The time that its clock started at, in nanoseconds since 1970.
    start_ns: u64,
    /// What its random bytes were made from.
    pub seed: Seed,
    /// The limits that it had.
    limits: RecordedLimits,
    /// The [build](tenterhook_engine::Engine::build) that ran it.
    pub build: String,
    /// See [`Report::files_digest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
}

/// Limits as a list: fuel, memory, wall-clock time in milliseconds, output, files, inodes and
/// descriptors. Names would be most of what is stored of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RecordedLimits(u64, u64, u64, u64, u64, u32, u32);

impl Recording {
    /// Draws what an attempt begins with, now and on this build.
    #[must_use]
    pub fn begin(limits: &Limits, build: &str) -> Self {
        let start = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            start_ns: nanos(start.unwrap_or_default()),
            seed: Seed::draw(),
            limits: RecordedLimits(
                limits.fuel,
                limits.memory,
                u64::try_from(limits.wall.as_millis()).unwrap_or(u64::MAX),
                limits.output,
                limits.files,
                limits.inodes,
                limits.descriptors,
            ),
            build: build.to_owned(),
            files: None,
        }
    }

    /// Adds what only its end shows.
    pub(crate) fn end(&mut self, report: &Report) {
        self.files = report.files_digest;
    }

    /// The time that its clock started at.
    #[must_use]
    pub fn start(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.start_ns)
    }

    /// The limits for running it again. One that was interrupted goes no further than it went
    /// then.
    #[must_use]
    pub(crate) fn limits_again(&self, record: &AttemptRecord) -> Limits {
        let limits = self.limits();
        let fuel = match &record.usage {
            Some(usage) if record.is_interrupted() => usage.fuel.max(1),
            _ => limits.fuel,
        };
        Limits { fuel, ..limits }
    }

    /// The limits that it had.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let RecordedLimits(fuel, memory, wall_ms, output, files, inodes, descriptors) = self.limits;
        Limits {
            fuel,
            memory,
            wall: Duration::from_millis(wall_ms),
            output,
            files,
            inodes,
            descriptors,
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_the_same_after_it_was_written_and_read() {
        let limits = Limits {
            fuel: u64::MAX,
            wall: Duration::from_millis(1_500),
            ..Limits::ceiling()
        };
        let mut recording = Recording::begin(&limits, "0.1.0-0123456789abcdef");
        recording.files = Some(u64::MAX);
        let json = serde_json::to_string(&recording).unwrap();
        assert_eq!(serde_json::from_str::<Recording>(&json).unwrap(), recording);
        assert_eq!(recording.limits(), limits);
        // What the store has room for beside a row's contents.
        assert!(json.len() < 300, "{}: {json}", json.len());
    }
}
