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
    /// The limits that it was told.
    limits: RecordedLimits,
    /// The limits that it had, if its host could not give it all of those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lowered: Option<RecordedLimits>,
    /// The [build](tenterhook_engine::Engine::build) that ran it.
    pub build: String,
    /// See [`Report::files_digest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
}

/// Limits under short names: longer ones would be most of what is stored of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RecordedLimits {
    fuel: u64,
    #[serde(rename = "mem")]
    memory: u64,
    #[serde(rename = "ms")]
    wall_ms: u64,
    #[serde(rename = "out")]
    output: u64,
    files: u64,
    inodes: u32,
    #[serde(rename = "fds")]
    descriptors: u32,
}

impl Recording {
    /// Draws what an attempt begins with, now and on this build; `given` are the limits that
    /// its host has for it.
    #[must_use]
    pub fn begin(limits: &Limits, given: &Limits, build: &str) -> Self {
        let start = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            start_ns: nanos(start.unwrap_or_default()),
            seed: Seed::draw(),
            limits: RecordedLimits::of(limits),
            lowered: (limits != given).then(|| RecordedLimits::of(given)),
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

    /// The limits that it was told.
    pub(crate) fn limits_told(&self) -> Limits {
        self.limits.limits()
    }

    /// The limits that it had.
    pub(crate) fn limits_had(&self) -> Limits {
        self.lowered.as_ref().unwrap_or(&self.limits).limits()
    }

    /// The limits for repeating it. One that was interrupted goes no further than it went then.
    pub(crate) fn limits_to_repeat(&self, record: &AttemptRecord) -> Limits {
        let limits = self.limits_had();
        let fuel = match &record.usage {
            Some(usage) if record.is_interrupted() => usage.fuel.max(1),
            _ => limits.fuel,
        };
        Limits { fuel, ..limits }
    }
}

impl RecordedLimits {
    fn of(limits: &Limits) -> Self {
        Self {
            fuel: limits.fuel,
            memory: limits.memory,
            wall_ms: u64::try_from(limits.wall.as_millis()).unwrap_or(u64::MAX),
            output: limits.output,
            files: limits.files,
            inodes: limits.inodes,
            descriptors: limits.descriptors,
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            fuel: self.fuel,
            memory: self.memory,
            wall: Duration::from_millis(self.wall_ms),
            output: self.output,
            files: self.files,
            inodes: self.inodes,
            descriptors: self.descriptors,
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
        let given = Limits {
            files: 1,
            ..limits.clone()
        };
        for given in [limits.clone(), given] {
            let mut recording = Recording::begin(&limits, &given, "0.1.0-0123456789abcdef");
            recording.files = Some(u64::MAX);
            let json = serde_json::to_string(&recording).unwrap();
            assert_eq!(serde_json::from_str::<Recording>(&json).unwrap(), recording);
            assert_eq!(
                (recording.limits_told(), recording.limits_had()),
                (limits.clone(), given)
            );
        }
    }

    #[test]
    fn a_recording_is_short_and_read_by_later_versions() {
        let recording = Recording::begin(
            &Limits::ceiling(),
            &Limits::ceiling(),
            "0.1.0-0123456789abcdef",
        );
        let json = serde_json::to_string(&recording).unwrap();
        // What the store has room for beside a row's contents.
        assert!(json.len() < 300, "{}: {json}", json.len());
        let text = r#"{"start_ns":1,"seed":"000102030405060708090a0b0c0d0e0f","limits":{"fuel":1,"mem":2,"ms":3,"out":4,"files":5,"inodes":6,"fds":7},"build":"x","files":8,"newer":9}"#;
        let read: Recording = serde_json::from_str(text).unwrap();
        assert_eq!((read.limits_had().descriptors, read.files), (7, Some(8)));
    }
}
