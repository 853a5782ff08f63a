//! Text that the parts of a composed component pass to each other: bounded and charged.
//!
//! wasmtime moves a string from one part's memory to another's within a single call of its
//! own: that burns no fuel, and no deadline interrupts it. Before each move, it calls the
//! `realloc` of the receiving part. So every function that serves as a `realloc` gets a
//! guard in front of it, which traps for too much and burns fuel for the rest. What is
//! received from the host passes through it too. Everything else is copied byte for byte. A
//! change of the output must raise `FORM` in `cache/seal.rs`.
//!
//! A component without parts is left unchanged: the host bounds and charges for what it
//! copies.

mod guard;
mod reallocs;

use std::borrow::Cow;
use std::fmt;

use wasmparser::{BinaryReaderError, Parser};

use self::reallocs::Reallocs;
use crate::bulk::{HEADER_BYTES, append, sections};

/// The most bytes that a part allocates at once: moving one string then takes 20 ms at
/// most. Lists are moved in a loop that burns fuel and can be interrupted; they have the
/// same bound because a `realloc` does not know what it is called for.
const ROOM_MAX_BYTES: u32 = 8 << 20;

/// The name of the guard functions.
pub(crate) const GUARD_NAME: &str = "realloc, at most 8 MiB";

/// Returns the reason for a trap whose innermost function has that name.
pub(crate) fn too_large() -> String {
    format!(
        "a part of the component was passed a text or list of more than {} MiB",
        ROOM_MAX_BYTES >> 20
    )
}

/// Sections of a component.
const MODULE: u8 = 1;
const COMPONENT: u8 = 4;

/// Why the text that parts pass to each other cannot be bounded.
#[derive(Debug)]
pub(crate) enum Unbounded {
    /// It is neither a module nor a component.
    Unreadable(BinaryReaderError),
    /// A `realloc` is not a function of a module.
    NotInModule,
}

impl From<BinaryReaderError> for Unbounded {
    fn from(error: BinaryReaderError) -> Self {
        Self::Unreadable(error)
    }
}

impl fmt::Display for Unbounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::NotInModule => f.write_str(
                "the `realloc` option of a composed component's part must name a function that \
                 one of the part's modules exports",
            ),
        }
    }
}

/// Returns a module or component that does the same, within the bound.
///
/// # Errors
///
/// [`Unbounded`]. Validating the program is left to the compiler.
pub(crate) fn bound(program: &[u8]) -> Result<Cow<'_, [u8]>, Unbounded> {
    if !Parser::is_component(program) {
        return Ok(Cow::Borrowed(program));
    }
    let reallocs = Reallocs::of(program)?;
    if reallocs.names().is_empty() {
        return Ok(Cow::Borrowed(program));
    }
    Ok(Cow::Owned(component(program, &reallocs)?))
}

fn component(program: &[u8], reallocs: &Reallocs) -> Result<Vec<u8>, Unbounded> {
    let mut out = program[..HEADER_BYTES].to_vec();
    for section in sections(program)? {
        let content = &program[section.content];
        match section.id {
            MODULE => append(
                &mut out,
                MODULE,
                &guard::put_in_front(content, reallocs.names())?,
            ),
            COMPONENT => append(&mut out, COMPONENT, &component(content, reallocs)?),
            id => append(&mut out, id, content),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
