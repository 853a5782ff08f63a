//! Checks a program of any kind and reports what is in it.

use crate::kind::Kind;
use crate::refusal::Refusal;
use crate::{script, wasm};

/// What was found in a program before it was compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Imported functions or interfaces, in the program's order.
    pub imports: Vec<String>,
    /// Functions that the program defines.
    pub functions: u64,
    /// Whether it imports anything that works on files.
    pub uses_files: bool,
}

/// Checks whether `bytes` are a program of this kind. A script has no imports.
///
/// # Errors
///
/// A [`Refusal`] that says what was found and what to do about it.
pub fn survey(kind: Kind, bytes: &[u8]) -> Result<Survey, Refusal> {
    match kind {
        Kind::Script => script::check(bytes).map(|()| Survey::default()),
        Kind::Module | Kind::Component => wasm::check(kind, bytes),
    }
}
