//! In what two runs differ, and where first.

use std::fmt;

use bytes::Bytes;
use tenterhook_engine::{Report, Stream, Usage};

use crate::error::Error;
use crate::runs::execution::AttemptRecord;
use crate::runs::kept_output::{KeptOutput, OUTPUT_PART_BYTES, OutputSizes};
use crate::runs::recording::Recording;

/// Most bytes of a line that a difference quotes.
const QUOTED_BYTES: usize = 120;

/// In what two runs differ, the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// How they ended.
    Outcome,
    /// What they answered, or what is wrong with the answer.
    Verdict,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The files that they left.
    Files,
    /// Units of work.
    Fuel,
    /// The peak of memory, calls into the host, or bytes printed or written.
    Usage,
}

/// One difference between two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// In what.
    pub aspect: Aspect,
    /// Where first, in an output.
    pub place: Option<Place>,
    /// What was recorded, there.
    pub recorded: String,
    /// What the replay shows, there.
    pub replayed: String,
}

/// A place in an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The byte, from 0.
    pub byte: u64,
    /// Its line, from 1.
    pub line: u64,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.aspect)?;
        if let Some(Place { byte, line }) = self.place {
            write!(f, ", line {line}, byte {byte}")?;
        }
        write!(f, ": was {}, is {}", self.recorded, self.replayed)
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Outcome => "outcome",
            Self::Verdict => "verdict",
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Files => "files",
            Self::Fuel => "fuel",
            Self::Usage => "usage",
        })
    }
}

/// A comparison of a run with what was recorded of it.
pub(super) struct Comparison<'a> {
    record: &'a AttemptRecord,
    recording: &'a Recording,
    /// Whether it went only as far as it did because it was interrupted.
    is_part: bool,
    notes: Vec<String>,
}

impl<'a> Comparison<'a> {
    /// Prepares one with a run of the same program on this build of the engine.
    pub(super) fn new(record: &'a AttemptRecord, recording: &'a Recording, build: &str) -> Self {
        let mut notes = Vec::new();
        if recording.build != build {
            notes.push(format!(
                "it ran on the build {}, and this is {build}: prices may differ",
                recording.build
            ));
        }
        Self {
            record,
            recording,
            is_part: record.is_interrupted(),
            notes,
        }
    }

    /// Compares with a run of another program, which is compared whole.
    pub(super) fn with_another_program(mut self) -> Self {
        self.is_part = false;
        self
    }

    /// Compares; what was printed is read piece by piece if it did not come with the record.
    /// Returns in what they differ, in the order of [`Aspect`], and what limits the comparison.
    pub(super) async fn make(
        mut self,
        report: &Report,
        kept: Option<&KeptOutput>,
    ) -> Result<(Vec<Difference>, Vec<String>), Error> {
        let record = self.record;
        let mut differences = Vec::new();
        let sizes = kept.map_or_else(|| OutputSizes::of(&record.output), KeptOutput::sizes);
        let limit = self.recording.limits_had().output;
        if record.output.dropped_bytes > 0 && sizes.total() < limit {
            let note = "its output was not kept, so it is not compared";
            self.notes.push(note.into());
        } else {
            differences.extend(outputs(kept, record, report, self.is_part).await?);
        }
        if self.is_part {
            let note = "it was interrupted from outside: only what it printed is compared";
            self.notes.push(note.into());
        } else {
            differences.extend(endings(record, report));
            differences.extend(self.files(report));
        }
        differences.sort_by_key(|difference| difference.aspect);
        Ok((differences, self.notes))
    }

    /// Compares the files, if both have a digest.
    fn files(&mut self, report: &Report) -> Option<Difference> {
        let (recorded, replayed) = (self.recording.files, report.files_digest);
        if recorded.is_some() != replayed.is_some() {
            let note = "the files of one of the two are not known, so they are not compared";
            self.notes.push(note.into());
            return None;
        }
        (recorded != replayed).then(|| Difference {
            aspect: Aspect::Files,
            place: None,
            recorded: format!("{:016x}", recorded.unwrap_or_default()),
            replayed: format!("{:016x}", replayed.unwrap_or_default()),
        })
    }
}

/// Compares what two runs printed. What was recorded is read piece by piece, unless it came
/// with the record; if that is a part, the replay may go on behind it.
async fn outputs(
    kept: Option<&KeptOutput>,
    recorded: &AttemptRecord,
    report: &Report,
    is_part: bool,
) -> Result<Vec<Difference>, Error> {
    let sizes = kept.map_or_else(|| OutputSizes::of(&recorded.output), KeptOutput::sizes);
    let mut differences = Vec::new();
    for (stream, aspect, replayed) in [
        (Stream::Stdout, Aspect::Stdout, &report.stdout),
        (Stream::Stderr, Aspect::Stderr, &report.stderr),
    ] {
        let size = sizes.get(stream);
        let mut at = 0;
        let mut place = Place { byte: 0, line: 1 };
        let difference = loop {
            let piece = match kept {
                Some(kept) if at < size => kept.read(stream, at, OUTPUT_PART_BYTES).await?,
                Some(_) => Bytes::new(),
                None => recorded.output.of(stream).clone(),
            };
            let from = usize::try_from(at)
                .unwrap_or(usize::MAX)
                .min(replayed.len());
            let rest = &replayed[from..];
            let equal = piece.iter().zip(rest).take_while(|(a, b)| a == b).count();
            place.byte += equal as u64;
            place.line += piece[..equal].iter().filter(|byte| **byte == b'\n').count() as u64;
            at += piece.len() as u64;
            let is_last = at >= size;
            let is_whole = is_part || !is_last || rest.len() == piece.len();
            let same = equal == piece.len() && is_whole;
            match (same, is_last) {
                (true, true) => break None,
                (true, false) => {}
                (false, _) => break Some((line_at(&piece, equal), line_at(rest, equal))),
            }
        };
        differences.extend(difference.map(|(recorded, replayed)| Difference {
            aspect,
            place: Some(place),
            recorded,
            replayed,
        }));
    }
    Ok(differences)
}

/// Returns the line around a byte, shortened; what is not UTF-8 is replaced.
fn line_at(text: &[u8], at: usize) -> String {
    if at >= text.len() {
        return "the end".into();
    }
    let from = text[..at].iter().rposition(|byte| *byte == b'\n');
    let from = from
        .map_or(0, |end| end + 1)
        .max(at.saturating_sub(QUOTED_BYTES / 2));
    let line = text[from..].split(|byte| *byte == b'\n').next();
    let line = line.unwrap_or_default();
    let line = &line[..line.len().min(QUOTED_BYTES)];
    format!("`{}`", String::from_utf8_lossy(line).escape_debug())
}

/// Compares how two runs ended, and what they used.
fn endings(recorded: &AttemptRecord, report: &Report) -> impl Iterator<Item = Difference> + use<> {
    let outcome = recorded.outcome.as_ref();
    let outcome = outcome.map_or_else(|| "none".into(), ToString::to_string);
    let verdict = |verdict: Option<&_>, fault: Option<&str>| match (verdict, fault) {
        (_, Some(fault)) => fault.to_owned(),
        (Some(verdict), None) => serde_json::to_string(verdict).unwrap_or_default(),
        (None, None) => "none".into(),
    };
    let before = recorded.usage.clone().unwrap_or_default();
    let pairs = [
        (Aspect::Outcome, outcome, report.outcome.to_string()),
        (
            Aspect::Verdict,
            verdict(recorded.verdict.as_ref(), recorded.verdict_fault.as_deref()),
            verdict(report.verdict.as_ref(), report.verdict_fault.as_deref()),
        ),
        (
            Aspect::Fuel,
            before.fuel.to_string(),
            report.usage.fuel.to_string(),
        ),
        (Aspect::Usage, rest(&before), rest(&report.usage)),
    ];
    pairs
        .into_iter()
        .filter(|(_, recorded, replayed)| recorded != replayed)
        .map(|(aspect, recorded, replayed)| Difference {
            aspect,
            place: None,
            recorded,
            replayed,
        })
}

/// What a run used beside fuel and time.
fn rest(usage: &Usage) -> String {
    format!(
        "{} bytes of memory, {} calls, {} bytes printed, {} bytes in files",
        usage.memory_peak_bytes, usage.host_calls, usage.output_bytes, usage.files_bytes
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_line_is_short_and_plain() {
        assert_eq!(line_at(b"one\ntwo\nthree", 5), "`two`");
        assert_eq!(line_at(b"one\n", 4), "the end");
        assert_eq!(line_at(b"\x1b[2Jx\xff", 0), "`\\u{1b}[2Jx\u{fffd}`");
        let long = [b'x'; 1_000];
        assert!(line_at(&long, 500).len() <= QUOTED_BYTES + 2);
    }
}
