//! Commands of our own, where the interpreter's are missing, capped or wrong.
//!
//! One file each. They use the interpreter's public command interface alone.

pub(crate) mod check;
mod date;
mod diff;
mod getopt;
mod id;
mod ls;
mod mktemp;
mod network;
mod options;
mod seq;
mod sleep;
mod tool;
mod yes;
mod zcat;

use bashkit::BashBuilder;
use network::NoNetwork;
use std::sync::Arc;

/// Adds our commands; they take the place of the interpreter's.
pub(crate) fn register(builder: BashBuilder, names: &check::Names) -> BashBuilder {
    builder
        .command("curl", NoNetwork(7))
        .command("date", date::Date)
        .command("diff", diff::Diff)
        .command("dir", ls::Ls)
        .command("getopt", getopt::Getopt)
        .command("http", NoNetwork(1))
        .command("id", id::Id)
        .command("ls", ls::Ls)
        .command("mktemp", mktemp::Mktemp)
        .command("seq", seq::Seq)
        .command("sleep", sleep::Sleep)
        .command("tenterhook-check", check::Check(Arc::clone(names)))
        .command("wget", NoNetwork(4))
        .command("yes", yes::Yes)
        .command("zcat", zcat::Zcat)
}
