//! Whether uploaded bytes are a program that the sandbox runs, told before they
//! cost much: by reading them, never by compiling or running them.
//!
//! [`survey()`] answers with a [`Survey`] of what is in the program or with a
//! [`Refusal`] whose text is for whoever uploaded it. This crate knows the shape
//! of Wasm, and neither a compiler nor a runtime, so that it can be fuzzed alone.

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
