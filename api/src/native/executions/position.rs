//! How far a follower of an output has come: the `id` of each event, opaque to clients.
//!
//! It names the attempt and how many bytes of each stream were sent. That is the same
//! whether they were sent as they were printed or are read from the store, one stream after
//! the other, and it outlives the server. It carries no authority: a client that sends one may
//! read the execution anyway.

use std::fmt;

use tenterhook_dispatch::ExecutionId;

/// How far a follower has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) attempt: u32,
    pub(super) reached: Reached,
    execution: ExecutionId,
}

/// How far in its attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// So many bytes of standard output and of standard error were sent.
    Bytes([u64; 2]),
    /// All of it was sent, and how it ended.
    End,
}

impl Position {
    /// The beginning of an attempt.
    pub(super) fn start(execution: ExecutionId, attempt: u32) -> Self {
        Self {
            attempt,
            reached: Reached::Bytes([0, 0]),
            execution,
        }
    }

    /// The execution in whose output it is.
    pub(super) fn execution(self) -> ExecutionId {
        self.execution
    }

    /// The same attempt, this far.
    pub(super) fn at(self, reached: Reached) -> Self {
        Self { reached, ..self }
    }

    /// Reads a position in the output of `execution`; `None` if it is not one.
    pub(super) fn parse(text: &str, execution: ExecutionId) -> Option<Self> {
        let mut parts = text.split('.').skip(1);
        let attempt = parts.next()?.parse().ok()?;
        let reached = match (parts.next()?, parts.next()) {
            ("end", None) => Reached::End,
            (stdout, Some(stderr)) => Reached::Bytes([stdout.parse().ok()?, stderr.parse().ok()?]),
            _ => return None,
        };
        let position = Self {
            attempt,
            reached,
            execution,
        };
        // Whatever else the text may be, it is not what was sent: another execution's, for one.
        (position.to_string() == text).then_some(position)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The random part of the identifier distinguishes the positions of executions.
        let mark = self.execution.as_uuid().as_u128() & 0xffff_ffff_ffff;
        write!(f, "{mark:012x}.{}", self.attempt)?;
        match self.reached {
            Reached::Bytes([stdout, stderr]) => write!(f, ".{stdout}.{stderr}"),
            Reached::End => f.write_str(".end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_sent() {
        let execution = ExecutionId::generate();
        let start = Position::start(execution, 3);
        let bytes = Reached::Bytes([7, u64::MAX]);
        for position in [start, start.at(bytes), start.at(Reached::End)] {
            let text = position.to_string();
            assert_eq!(Position::parse(&text, execution), Some(position), "{text}");
        }
    }

    #[test]
    fn a_position_outside_the_execution_is_refused() {
        let execution = ExecutionId::generate();
        let text = Position::start(execution, 1).to_string();
        let mark = text.split('.').next().unwrap();
        for rest in [
            "",
            ".",
            ".1",
            ".1.",
            ".1.2",
            ".1.2.",
            ".1.2.3.4",
            ".01.2.3",
            ".+1.2.3",
            ".1.-2.3",
            ".1.end.",
            ".1.2.end",
            ".4294967296.end",
            ".1.18446744073709551616.0",
            ".1.2.3 ",
        ] {
            let text = format!("{mark}{rest}");
            assert_eq!(Position::parse(&text, execution), None, "{text}");
        }
        for text in ["", "0", "é", &text.to_uppercase().replace('.', ":")] {
            assert_eq!(Position::parse(text, execution), None, "{text}");
        }
        assert_eq!(Position::parse(&text, ExecutionId::generate()), None);
    }
}
