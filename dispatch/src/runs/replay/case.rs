//! An attempt as one file, which runs anywhere.
//!
//! ```text
//! tenterhook-case 1 BYTES SHA-256
//! so many bytes of JSON, which also say how long each part is
//! the parts, one after the other
//! ```
//!
//! The hash is of all that follows the first line: a file that was cut or altered is refused.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tenterhook_engine::{Digest, Invocation, Kind, Limits, Outcome, Pace, Report, Usage, Verdict};

use super::compare::{Comparison, Difference};
use crate::error::Error;
use crate::runs::execution::{AttemptRecord, Output};
use crate::runs::recording::Recording;

/// What every case begins with.
const MAGIC: &str = "tenterhook-case ";

/// The version of the format.
const VERSION: &str = "1";

/// Bytes of the longest first line.
const FIRST_LINE_BYTES: usize = 128;

/// An attempt as one file.
#[derive(Clone, Debug)]
pub struct Case {
    head: Head,
    program: Bytes,
    stdin: Bytes,
    event: Bytes,
    output: Output,
}

/// All of a case but its parts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    kind: Kind,
    name: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    recording: Recording,
    attempt: u32,
    outcome: Option<Outcome>,
    error: Option<String>,
    usage: Option<Usage>,
    verdict: Option<Verdict>,
    verdict_fault: Option<String>,
    dropped_bytes: u64,
    /// Bytes of the program, of standard input, of the event and of both outputs.
    parts: [usize; 5],
}

/// The bytes are not a case that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACase {
    /// They do not begin like one.
    #[error("it is not a case file")]
    Other,
    /// It has another version.
    #[error("it is a case file of version `{0}`, and this program reads version {VERSION}")]
    Version(String),
    /// Its hash is another one.
    #[error("the case file was cut or altered: its hash is not that of its content")]
    Altered,
    /// Its hash is right, but not its content.
    #[error("the case file cannot be read: {0}")]
    Malformed(String),
}

impl Case {
    pub(super) fn new(
        (kind, program): (Kind, Bytes),
        given: Invocation,
        record: AttemptRecord,
        recording: Recording,
    ) -> Self {
        let output = record.output;
        let head = Head {
            kind,
            name: given.name,
            args: given.args,
            env: given.env,
            recording,
            attempt: record.attempt,
            outcome: record.outcome,
            error: record.error,
            usage: record.usage,
            verdict: record.verdict,
            verdict_fault: record.verdict_fault,
            dropped_bytes: output.dropped_bytes,
            parts: [
                program.len(),
                given.stdin.len(),
                given.event.len(),
                output.stdout.len(),
                output.stderr.len(),
            ],
        };
        Self {
            head,
            program,
            stdin: given.stdin,
            event: given.event,
            output,
        }
    }

    /// Whether these bytes begin like a case.
    #[must_use]
    pub fn begins(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC.as_bytes())
    }

    /// Writes the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let head =
            serde_json::to_vec(&self.head).expect("a case holds nothing that JSON cannot say");
        let bytes = head.len() + self.head.parts.iter().sum::<usize>();
        let mut rest = Vec::with_capacity(bytes + FIRST_LINE_BYTES);
        rest.extend_from_slice(&head);
        for part in [
            &self.program,
            &self.stdin,
            &self.event,
            &self.output.stdout,
            &self.output.stderr,
        ] {
            rest.extend_from_slice(part);
        }
        let line = format!("{MAGIC}{VERSION} {} {}\n", head.len(), Digest::of(&rest));
        rest.splice(..0, line.into_bytes());
        rest
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`NotACase`].
    pub fn read(file: &Bytes) -> Result<Self, NotACase> {
        if !Self::begins(file) {
            return Err(NotACase::Other);
        }
        let first = &file[..file.len().min(FIRST_LINE_BYTES)];
        let end = first.iter().position(|byte| *byte == b'\n');
        let line = &first[MAGIC.len()..end.unwrap_or(first.len())];
        let line = String::from_utf8_lossy(line);
        let (version, rest_of_line) = line.split_once(' ').unwrap_or((&line, ""));
        if version != VERSION {
            return Err(NotACase::Version(version.chars().take(16).collect()));
        }
        let end = end.ok_or(NotACase::Altered)?;
        let mut rest = file.slice(end + 1..);
        let (bytes, hash) = rest_of_line.split_once(' ').unwrap_or_default();
        if Digest::of(&rest).to_string() != hash {
            return Err(NotACase::Altered);
        }
        let malformed = |why: &str| NotACase::Malformed(why.into());
        let bytes: usize = bytes
            .parse()
            .map_err(|_| malformed("its head has no length"))?;
        if bytes > rest.len() {
            return Err(malformed("its head is missing"));
        }
        let head: Head = serde_json::from_slice(&rest.split_to(bytes))
            .map_err(|error| NotACase::Malformed(error.to_string()))?;
        let limits = head.recording.limits_had();
        if limits.within(&Limits::ceiling()) != limits {
            return Err(malformed("its limits are beyond what a run can have"));
        }
        let mut parts: [Bytes; 5] = Default::default();
        for (part, len) in parts.iter_mut().zip(head.parts) {
            if len > rest.len() {
                return Err(malformed("a part is missing"));
            }
            *part = rest.split_to(len);
        }
        if !rest.is_empty() {
            return Err(malformed("there is more than its parts"));
        }
        let [program, stdin, event, stdout, stderr] = parts;
        Ok(Self {
            output: Output {
                stdout,
                stderr,
                dropped_bytes: head.dropped_bytes,
            },
            head,
            program,
            stdin,
            event,
        })
    }

    /// The program's sort.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.head.kind
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> Bytes {
        self.program.clone()
    }

    /// How the attempt ended if it was interrupted: a run of it goes no further than it did, and
    /// ends otherwise.
    #[must_use]
    pub fn interrupted(&self) -> Option<Outcome> {
        let is_interrupted = self.record().is_interrupted();
        self.head.outcome.clone().filter(|_| is_interrupted)
    }

    /// What the attempt was given. A sleep takes no time.
    #[must_use]
    pub fn invocation(&self) -> Invocation {
        let recording = &self.head.recording;
        Invocation {
            name: self.head.name.clone(),
            args: self.head.args.clone(),
            env: self.head.env.clone(),
            stdin: self.stdin.clone(),
            event: self.event.clone(),
            limits: recording.limits_to_repeat(&self.record()),
            start: recording.start(),
            seed: recording.seed,
            pace: Pace::Skip,
            ..Invocation::default()
        }
    }

    /// Compares a run of it on this build of the engine with what was recorded: in what they
    /// differ, and what limits the comparison.
    ///
    /// # Errors
    ///
    /// None: there is no store to be read.
    pub async fn compare(
        &self,
        report: &Report,
        build: &str,
    ) -> Result<(Vec<Difference>, Vec<String>), Error> {
        let record = self.record();
        let comparison = Comparison::new(&record, &self.head.recording, build);
        comparison.make(report, None).await
    }

    fn record(&self) -> AttemptRecord {
        let head = &self.head;
        AttemptRecord {
            attempt: head.attempt,
            outcome: head.outcome.clone(),
            error: head.error.clone(),
            usage: head.usage.clone(),
            output: self.output.clone(),
            verdict: head.verdict.clone(),
            verdict_fault: head.verdict_fault.clone(),
            ..AttemptRecord::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.into()).unwrap()
    }

    fn case() -> Case {
        let given = Invocation {
            name: "a.sh".into(),
            args: vec!["x".into()],
            env: vec![("A".into(), "ä\n".into())],
            stdin: "in".into(),
            event: "{}".into(),
            ..Invocation::default()
        };
        let record = AttemptRecord {
            attempt: 2,
            outcome: Some(Outcome::Exited { status: 3 }),
            output: Output {
                stdout: vec![0, 255].into(),
                stderr: "oops".into(),
                dropped_bytes: 1,
            },
            verdict: Some(Verdict {
                details: [("why".into(), raw("{\n  \"a\": 1\n}"))].into(),
                ..Verdict::default()
            }),
            ..AttemptRecord::default()
        };
        let limits = Limits::default();
        let recording = Recording::begin(&limits, &limits, "0.1.0");
        Case::new((Kind::Script, "echo\n".into()), given, record, recording)
    }

    #[test]
    fn a_case_is_the_same_after_it_was_written_and_read() {
        let written = case();
        let file = Bytes::from(written.to_bytes());
        assert!(Case::begins(&file));
        let read = Case::read(&file).unwrap();
        assert_eq!(read.to_bytes(), file);
        assert_eq!(read.program(), "echo\n");
        assert_eq!(read.record(), written.record());
        let (given, again) = (written.invocation(), read.invocation());
        assert_eq!((given.seed, given.start), (again.seed, again.start));
        assert_eq!((given.env, given.stdin), (again.env, again.stdin));
    }

    #[test]
    fn a_case_of_another_version_is_named() {
        let file = Bytes::from(case().to_bytes());
        let newer = [b"tenterhook-case 2", &file[17..]].concat().into();
        let refused = Case::read(&newer).unwrap_err();
        assert_eq!(refused, NotACase::Version("2".into()));
        assert_eq!(
            Case::read(&"#!/bin/sh\n".into()).unwrap_err(),
            NotACase::Other
        );
    }

    #[test]
    fn a_case_that_was_cut_anywhere_is_refused() {
        let file = Bytes::from(case().to_bytes());
        for end in 0..file.len() {
            assert!(Case::read(&file.slice(..end)).is_err(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn a_case_that_was_altered_anywhere_is_refused(at in any::<proptest::sample::Index>(), with in 1_u8..) {
            let mut file = case().to_bytes();
            let at = at.index(file.len());
            file[at] ^= with;
            prop_assert!(Case::read(&file.into()).is_err());
        }

        #[test]
        fn a_forged_case_is_read_or_refused(bytes in "[0-9]{0,20}", rest: Vec<u8>) {
            let content = rest;
            let file = format!("{MAGIC}{VERSION} {bytes} {}\n", Digest::of(&content));
            let _ = Case::read(&[file.as_bytes(), &content].concat().into());
        }
    }
}
