//! The shell as a whole, on the machine that builds it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod commands;
mod files;
mod harness;
mod invocation;
mod oracle;
mod scripts;
mod streams;
