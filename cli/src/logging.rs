//! The log: lines on stderr, as text or as JSON. Set up here and nowhere else.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::paint;

/// The format of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line, for programs.
    Json,
}

/// Starts the log, and logs panics: a panic ends one task, not the process, so its only
/// trace would be lost among other output.
pub(crate) fn start(format: LogFormat, filter: EnvFilter) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // A line that cannot be logged, as on a full disk, would be reported on standard
        // error, which panics where that is the log: requests must not fail for it.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.with_ansi(paint::stderr().has_colours()).init(),
        LogFormat::Json => builder.json().init(),
    }
    std::panic::set_hook(Box::new(|panic| {
        let at = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or("a panic without a text");
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(%at, %backtrace, "panicked: {what}");
    }));
}

/// Parses the log filter; `default` if none is given.
pub(crate) fn parse_filter(filter: Option<&str>, default: &str) -> Result<EnvFilter, String> {
    let text = filter.unwrap_or(default);
    EnvFilter::try_new(text).map_err(|error| {
        format!("must be a filter, such as info or tenterhook_dispatch=debug: {error}")
    })
}
