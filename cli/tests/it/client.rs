//! The commands that talk to a server, run as a person would run them.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::Value;

use crate::tenterhook::{Finished, command};

/// Runs a command with the data folder as its only help.
pub(crate) fn tenterhook<A: AsRef<OsStr>>(
    data: &Path,
    args: impl IntoIterator<Item = A>,
) -> Finished {
    let output = command(args).env("TENTERHOOK_DATA", data).output();
    Finished::of(output.unwrap())
}

/// Runs a command that must succeed; returns its JSON.
#[track_caller]
pub(crate) fn json(data: &Path, args: &[&str]) -> Value {
    let result = tenterhook(data, args.iter().chain(&["--json"])).with_status(0);
    serde_json::from_str(&result.stdout).unwrap_or_else(|error| panic!("{error}: {result:?}"))
}
