//! What commands share: a log for errors only, and an exit status for the result.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::logging::{self, LogFormat};
use crate::say::{say, say_error};

/// Runs a command and returns the exit status.
pub(crate) fn run(log: Option<&str>, command: impl FnOnce() -> anyhow::Result<()>) -> ExitCode {
    run_to(log, || command().map(|()| ExitCode::SUCCESS))
}

/// The same for a command that chooses its own exit status.
pub(crate) fn run_to(
    log: Option<&str>,
    command: impl FnOnce() -> anyhow::Result<ExitCode>,
) -> ExitCode {
    match logging::parse_filter(log, "error") {
        Ok(filter) => logging::start(LogFormat::Text, filter),
        Err(reason) => {
            say(format_args!("`--log` {reason}"));
            return ExitCode::from(2);
        }
    }
    end(command())
}

/// Runs a future to completion on a runtime of its own.
pub(crate) fn block_on<T, E>(work: impl Future<Output = Result<T, E>>) -> anyhow::Result<T>
where
    anyhow::Error: From<E>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    Ok(runtime.block_on(work)?)
}

/// Reports the error, if there is one.
pub(crate) fn end(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        say_error(&error);
        ExitCode::FAILURE
    })
}
