//! One function: where its bulk instructions are, and what is inserted before each.

use std::ops::Range;

use wasm_encoder::{BlockType, Encode as _, Instruction, ValType};
use wasmparser::{FunctionBody, Operator, Result};

use super::helper::Bulk;
use super::module::Facts;

/// The most locals that a function may have; the compiler refuses more.
const LOCALS_MAX: u32 = 50_000;

/// What all functions of one module share.
pub(super) struct Context {
    pub(super) facts: Facts,
    /// The size of a piece in bytes.
    pub(super) piece: u32,
    /// The index of the first appended type.
    pub(super) first_type: u32,
    /// The index of the first appended function.
    pub(super) first_helper: u32,
    /// What the appended functions do.
    pub(super) helpers: Vec<Bulk>,
}

impl Context {
    fn block_type(&self) -> BlockType {
        BlockType::FunctionType(self.first_type)
    }

    /// Returns the type of the appended functions.
    pub(super) fn helper_type(&self) -> u32 {
        self.first_type.saturating_add(1)
    }
}

/// Whether a function has to change.
pub(super) enum Changed {
    /// It becomes this.
    Yes(Vec<u8>),
    /// It stays as it is.
    No,
}

/// Splits one function; `index` counts those that are not imported.
pub(super) fn split(
    context: &mut Context,
    index: usize,
    body: &FunctionBody<'_>,
) -> Result<Changed> {
    let sites = sites(context, body)?;
    if sites.is_empty() {
        return Ok(Changed::No);
    }
    let bytes = body.as_bytes();
    let start = body.range().start;
    let mut locals = body.get_locals_reader()?;
    let groups = locals.get_count();
    let first_group = locals.original_position() - start;
    let mut count = context.facts.params_of(index);
    for _ in 0..groups {
        count = count.saturating_add(locals.read()?.0);
    }
    let code = locals.original_position() - start;
    let mut out = Vec::with_capacity(bytes.len() + 32 * sites.len());
    // One more local, for the length. Where there is no room for it, the helper is
    // called whatever the length.
    let length = (count < LOCALS_MAX).then_some(count);
    groups
        .saturating_add(u32::from(length.is_some()))
        .encode(&mut out);
    out.extend_from_slice(&bytes[first_group..code]);
    if length.is_some() {
        1_u32.encode(&mut out);
        ValType::I32.encode(&mut out);
    }
    let mut copied = code;
    for (range, bulk) in sites {
        let at = range.start - start;
        out.extend_from_slice(&bytes[copied..at]);
        let helper = context.helper(bulk);
        call(&mut out, context, length, helper);
        copied = at;
    }
    out.extend_from_slice(&bytes[copied..]);
    Ok(Changed::Yes(out))
}

/// Calls the helper if the length is large. Either way three operands are left for the
/// instruction that follows.
fn call(out: &mut Vec<u8>, context: &Context, length: Option<u32>, helper: u32) {
    let Some(length) = length else {
        return Instruction::Call(helper).encode(out);
    };
    for instruction in [
        Instruction::LocalTee(length),
        Instruction::I32Const(context.piece.cast_signed()),
        Instruction::I32GtU,
        Instruction::If(context.block_type()),
        Instruction::LocalGet(length),
        Instruction::Call(helper),
        Instruction::Else,
        Instruction::LocalGet(length),
        Instruction::End,
    ] {
        instruction.encode(out);
    }
}

/// Returns the instructions that may be large. A constant right before an instruction is
/// its length: no branch leads between the two.
fn sites(context: &Context, body: &FunctionBody<'_>) -> Result<Vec<(Range<usize>, Bulk)>> {
    let mut sites = Vec::new();
    let mut constant = None;
    let mut reader = body.get_operators_reader()?;
    while !reader.eof() {
        let start = reader.original_position();
        let operator = reader.read()?;
        let small = constant.is_some_and(|len| len <= context.piece);
        let bulk = bulk(&context.facts, context.piece, &operator).filter(|_| !small);
        if let Some(bulk) = bulk {
            sites.push((start..reader.original_position(), bulk));
        }
        constant = match operator {
            Operator::I32Const { value } => Some(value.cast_unsigned()),
            _ => None,
        };
    }
    Ok(sites)
}

fn bulk(facts: &Facts, piece: u32, operator: &Operator<'_>) -> Option<Bulk> {
    let (bulk, memories) = match *operator {
        Operator::MemoryFill { mem } => (Bulk::Fill { memory: mem }, [mem, mem]),
        Operator::MemoryCopy { dst_mem, src_mem } => {
            let (to, from) = (dst_mem, src_mem);
            (Bulk::Copy { to, from }, [to, from])
        }
        Operator::MemoryInit { data_index, mem } if facts.data_bytes(data_index) > piece => {
            let (memory, segment) = (mem, data_index);
            (Bulk::Init { memory, segment }, [mem, mem])
        }
        _ => return None,
    };
    let short = memories.iter().all(|memory| facts.is_short(*memory));
    short.then_some(bulk)
}
