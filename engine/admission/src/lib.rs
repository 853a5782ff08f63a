//! Decides whether uploaded bytes are a program that the sandbox can run, before they
//! cost much: by reading them, never by compiling or running them.
//!
//! [`survey()`] returns a [`Survey`] of what is in the program, or a [`Refusal`]
//! whose text is for the uploader. This crate knows the format of Wasm, but neither a
//! compiler nor a runtime, so that it can be fuzzed alone.

mod fix;
mod foreign;
mod imports;
mod kind;
mod proposals;
mod refusal;
mod script;
mod survey;
mod wasm;

pub use crate::kind::Kind;
pub use crate::refusal::{Refusal, one_line};
pub use crate::script::SCRIPT_MAX_BYTES;
pub use crate::survey::{Survey, survey};
pub use crate::wasm::WASM_MAX_BYTES;
