//! What a hook's function may return, and how that ends the hook.
//!
//! It determines the exit status, the verdict, and a line on standard error. A denial is
//! an answer, not a failure: the hook has worked.

use std::error::Error;
use std::io;

use crate::Verdict;

/// Exit status of a hook that has done its work, whatever its verdict says.
pub const DONE: u8 = 0;

/// Exit status of a hook whose function returned an error.
pub const FAILED: u8 = 1;

/// Exit status of a hook that could not start or could not answer: its event cannot be
/// read or has the wrong type, or its verdict cannot be written.
pub const UNSUITED: u8 = 2;

/// Exit status of a hook that panicked.
pub const PANICKED: u8 = 101;

/// What a hook's function may return.
///
/// | returned | exit status | besides |
/// |---|---|---|
/// | `()`, or `None` of any of these | 0 | |
/// | [`Verdict`] | 0 | the verdict, in `/verdict.json` |
/// | `u8` | that status | |
/// | `Ok` of any of these | as above | |
/// | `Err` of an error, a text, or `anyhow::Error` | 1 | `error: …` on standard error, with its sources |
#[diagnostic::on_unimplemented(
    message = "a hook cannot return `{Self}`",
    label = "not an answer of a hook",
    note = "return `()`, `Verdict`, `u8`, an `Option` of one of them, or a `Result` of one of them whose error becomes a `Box<dyn Error>`"
)]
pub trait Answer {
    /// Returns how the hook ends.
    fn conclude(self) -> Conclusion;
}

/// How a hook ends.
#[derive(Clone, Debug, Default)]
pub struct Conclusion {
    /// The exit status.
    pub(crate) status: u8,
    /// The verdict, if there is one.
    pub(crate) verdict: Option<Verdict>,
    /// What went wrong, in one line.
    pub(crate) error: Option<String>,
    /// Writes the verdict. Only in a hook that may return one is the code for files
    /// linked, and a run without files is ten times as fast.
    leave: Option<fn(&Verdict) -> io::Result<()>>,
}

impl Conclusion {
    /// Ends a hook with this status and nothing else.
    #[must_use]
    pub fn status(status: u8) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// Ends a hook that has done its work with this verdict.
    #[must_use]
    pub fn verdict(verdict: Verdict) -> Self {
        Self {
            verdict: Some(verdict),
            leave: Some(Verdict::leave),
            ..Self::default()
        }
    }

    /// Ends a hook with `status` because of `error`.
    #[must_use]
    pub fn fault(status: u8, error: &dyn Error) -> Self {
        Self {
            status,
            error: Some(chain(error)),
            ..Self::default()
        }
    }

    /// Writes the verdict, if there is one, to where the engine reads it.
    pub(crate) fn leave(&self) -> io::Result<()> {
        match (&self.verdict, self.leave) {
            (Some(verdict), Some(leave)) => leave(verdict),
            _ => Ok(()),
        }
    }
}

impl Answer for () {
    fn conclude(self) -> Conclusion {
        Conclusion::default()
    }
}

impl Answer for Verdict {
    fn conclude(self) -> Conclusion {
        Conclusion::verdict(self)
    }
}

impl Answer for u8 {
    fn conclude(self) -> Conclusion {
        Conclusion::status(self)
    }
}

impl<A: Answer> Answer for Option<A> {
    fn conclude(self) -> Conclusion {
        self.map_or_else(Conclusion::default, Answer::conclude)
    }
}

impl<A: Answer, E: Into<Box<dyn Error>>> Answer for Result<A, E> {
    fn conclude(self) -> Conclusion {
        match self {
            Ok(answer) => answer.conclude(),
            Err(error) => Conclusion::fault(FAILED, &*error.into()),
        }
    }
}

/// Formats an error and its sources in one line. A source that the text already ends with
/// is not repeated.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        source = error.source();
    }
    one_line(&text)
}

/// Replaces each run of control characters, and the spaces around it, by one space.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for part in text.split(char::is_control) {
        let part = part.trim();
        if !part.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(part);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use std::{fmt, io};

    use super::*;

    #[derive(Debug)]
    struct Reading(io::Error);

    impl fmt::Display for Reading {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("cannot read\nthe list")
        }
    }

    impl Error for Reading {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_denial_is_not_a_failure() {
        let conclusion = Verdict::deny("no").conclude();
        assert_eq!(conclusion.status, DONE);
        assert_eq!(conclusion.verdict, Some(Verdict::deny("no")));
    }

    #[test]
    fn an_error_is_formatted_with_its_sources_in_one_line() {
        let error = Reading(io::Error::other("no such file"));
        let conclusion = Err::<(), _>(error).conclude();
        assert_eq!(conclusion.status, FAILED);
        assert_eq!(
            conclusion.error.unwrap(),
            "cannot read the list: no such file"
        );
    }

    #[test]
    fn a_source_that_is_already_in_the_text_is_not_repeated() {
        let error = io::Error::other(io::Error::other("no such file"));
        assert_eq!(chain(&error), "no such file");
    }

    #[test]
    fn text_can_be_an_error() {
        let of_text = Err::<Verdict, _>("no disk").conclude();
        let of_string = Err::<Option<u8>, _>(String::from("no disk")).conclude();
        assert_eq!(of_text.error.unwrap(), "no disk");
        assert_eq!(of_string.error.unwrap(), "no disk");
    }

    #[test]
    fn returning_nothing_means_success() {
        let conclusion = None::<Verdict>.conclude();
        assert_eq!((conclusion.status, conclusion.verdict), (DONE, None));
        assert_eq!(Some(7).conclude().status, 7);
    }
}
