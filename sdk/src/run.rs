//! The `main` of every hook with the attribute.

use std::io::Write as _;
use std::process::ExitCode;

use crate::answer::{self, Conclusion};
use crate::{Handler, Hook, handler, panics};

/// Runs a function as the whole hook of this process: `#[hook]` generates a `main` that
/// calls it.
///
/// The exit status is the function's [`Answer`](crate::Answer); 2 when the run does not
/// have the event that the function takes, or the verdict cannot be written; 101 when it
/// panicked. An error is one line on standard error, `error: …`.
pub fn run<A>(handler: impl Handler<'static, A>) -> ExitCode {
    panics::report_in_one_line();
    // A process is one run: there is nothing to free.
    let hook: &'static Hook = Box::leak(Box::new(Hook::open()));
    end(handler::conclude(handler, hook))
}

/// Writes the verdict and reports what went wrong.
fn end(mut conclusion: Conclusion) -> ExitCode {
    if let Err(error) = conclusion.leave() {
        conclusion = Conclusion::fault(answer::UNSUITED, &error);
    }
    if let Some(error) = &conclusion.error {
        report(error);
    }
    conclusion.status.into()
}

/// Prints an error as one line. Without standard error, there is nowhere to print it.
pub(crate) fn report(error: &str) {
    let _ = std::io::stderr().write_all(format!("error: {error}\n").as_bytes());
}
