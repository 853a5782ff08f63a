//! The `main` of every hook that the attribute makes.

use std::io::Write as _;
use std::process::ExitCode;

use crate::answer::{self, Conclusion};
use crate::{Handler, Hook, handler, panics};

/// Runs a function as the whole hook of this process: `#[hook]` writes a `main`
/// that calls it.
///
/// The exit status is the function's [`Answer`](crate::Answer); 2 when the run has
/// no event as the function takes one, or the verdict cannot be left; 101 when it
/// panicked. Whatever went wrong is one line on standard error, `error: …`.
pub fn run<A>(handler: impl Handler<'static, A>) -> ExitCode {
    panics::tell_in_one_line();
    // A process is one run: there is nothing to give back.
    let hook: &'static Hook = Box::leak(Box::new(Hook::open()));
    end(handler::conclude(handler, hook))
}

/// Leaves the verdict and says what went wrong.
fn end(mut conclusion: Conclusion) -> ExitCode {
    if let Err(error) = conclusion.leave() {
        conclusion = Conclusion::fault(answer::UNSUITED, &error);
    }
    if let Some(error) = &conclusion.error {
        tell(error);
    }
    conclusion.status.into()
}

/// Prints an error as one line. Where nobody listens, there is nobody to tell.
pub(crate) fn tell(error: &str) {
    let _ = std::io::stderr().write_all(format!("error: {error}\n").as_bytes());
}
