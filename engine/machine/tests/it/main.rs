//! The files of a run: what they promise, and how a kernel's behave.
#![expect(clippy::unwrap_used, reason = "a helper of a test is a part of it")]

mod kernel;
mod semantics;
