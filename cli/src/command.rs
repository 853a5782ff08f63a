//! What commands have in common: a log that only errors come to, and an end whose
//! status says whether all went well.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::logging::{self, LogFormat};
use crate::say::{say, say_error};

/// Runs a command; answers the status of the process.
pub(crate) fn run(log: Option<&str>, command: impl FnOnce() -> anyhow::Result<()>) -> ExitCode {
    run_to(log, || command().map(|()| ExitCode::SUCCESS))
}

/// The same for a command that has more to tell than whether it went well.
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

/// Runs what is asynchronous to its end, where nothing else is going on.
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

/// Says what went wrong, if anything did.
pub(crate) fn end(ended: anyhow::Result<ExitCode>) -> ExitCode {
    ended.unwrap_or_else(|error| {
        say_error(&error);
        ExitCode::FAILURE
    })
}
