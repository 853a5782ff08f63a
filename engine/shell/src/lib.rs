//! The guest that runs a tenant's shell script inside the sandbox.
//!
//! A [`Shell`] is built once and holds an interpreter with its [`Files`] and
//! commands. It runs one [`Job`]. On WebAssembly, `guest` exports this to the
//! engine through the functions of `abi`; elsewhere the crate is a plain
//! library, which is how its tests run.

#[cfg(target_family = "wasm")]
mod abi;
mod check;
mod commands;
mod files;
#[cfg(target_family = "wasm")]
mod guest;
mod job;
mod jq;
mod limits;
mod run;
mod seed;
mod shebang;
mod shell;
mod stdin_shell;
mod stream;

pub use crate::files::{EVENT_FILE, Files, HOME, Quota, SCRIPTS, VERDICT_FILE, WORK_DIR};
pub use crate::job::Job;
pub use crate::run::{Ended, Verdict};
pub use crate::shell::Shell;
pub use crate::stream::{Sink, Stream};
