//! Splits the bulk memory instructions of a program before it is compiled, so that
//! none of them keeps its thread for long.
//!
//! wasmtime charges `memory.fill`, `memory.copy` and `memory.init` by the byte, but
//! checks the deadline only before each: half a gigabyte overruns it by 200 ms. Where
//! one of them may be large, it is preceded by a call to a function appended here, which
//! does the work in pieces; the instruction itself remains for what is small and for what
//! is out of bounds, so that a trap is the program's own, at its own place. Everything
//! else is copied byte for byte: no index and no name changes. A change of the output
//! must raise `FORM` in `cache/seal.rs`.
//!
//! Tables are left alone: one has at most 131,072 elements, which take a millisecond or
//! two.

// The build script shares this file by its path, and would look beside it.
#[path = "bulk/body.rs"]
mod body;
#[path = "bulk/helper.rs"]
mod helper;
#[path = "bulk/module.rs"]
mod module;

use std::borrow::Cow;
use std::ops::Range;

use wasm_encoder::Encode as _;
use wasmparser::{BinaryReader, Parser, Result};

/// The most bytes that one instruction fills or copies: 50 to 400 us, including the first
/// touch of each page. A busy guest yields its thread every millisecond.
const PIECE_BYTES: u32 = 1 << 20;

/// Bytes before the first section of a module or component.
pub(crate) const HEADER_BYTES: usize = 8;

/// Returns a module or component that does the same, in pieces.
///
/// # Errors
///
/// If it is neither. Validating it is left to the compiler.
pub(crate) fn split(program: &[u8]) -> Result<Cow<'_, [u8]>> {
    split_into(program, PIECE_BYTES)
}

fn split_into(program: &[u8], piece: u32) -> Result<Cow<'_, [u8]>> {
    match Parser::is_component(program) {
        true => component(program, piece),
        false => module::split(program, piece),
    }
}

/// Splits a component: its modules, and the components in it.
fn component(program: &[u8], piece: u32) -> Result<Cow<'_, [u8]>> {
    const MODULE: u8 = 1;
    const COMPONENT: u8 = 4;
    let mut out = program[..HEADER_BYTES].to_vec();
    let mut changed = false;
    for section in sections(program)? {
        let content = &program[section.content.clone()];
        let content = match section.id {
            MODULE | COMPONENT => split_into(content, piece)?,
            _ => Cow::Borrowed(content),
        };
        changed |= matches!(content, Cow::Owned(_));
        append(&mut out, section.id, &content);
    }
    Ok(match changed {
        true => Cow::Owned(out),
        false => Cow::Borrowed(program),
    })
}

/// A section of a binary.
pub(crate) struct Section {
    pub(crate) id: u8,
    pub(crate) content: Range<usize>,
}

/// Returns the sections of a module or component, which have the same framing.
pub(crate) fn sections(program: &[u8]) -> Result<Vec<Section>> {
    let mut reader = BinaryReader::new(program, 0);
    reader.read_bytes(HEADER_BYTES)?;
    let mut sections = Vec::new();
    while !reader.eof() {
        let id = reader.read_u8()?;
        let len = reader.read_var_u32()?;
        let start = reader.original_position();
        reader.read_bytes(len as usize)?;
        sections.push(Section {
            id,
            content: start..reader.original_position(),
        });
    }
    Ok(sections)
}

/// Appends a section.
pub(crate) fn append(out: &mut Vec<u8>, id: u8, content: &[u8]) {
    out.push(id);
    content.encode(out);
}

/// Returns a section that is a list, with more entries at its end.
pub(crate) fn longer(content: &[u8], more: u32, entries: &[u8]) -> Result<Vec<u8>> {
    let mut reader = BinaryReader::new(content, 0);
    let count = reader.read_var_u32()?;
    let mut out = Vec::with_capacity(content.len() + entries.len() + 5);
    count.saturating_add(more).encode(&mut out);
    out.extend_from_slice(&content[reader.original_position()..]);
    out.extend_from_slice(entries);
    Ok(out)
}

#[cfg(test)]
#[path = "bulk/tests.rs"]
mod tests;
