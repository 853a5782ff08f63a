//! The functions that are appended: each does one kind of instruction in pieces.

use wasm_encoder::{BlockType, Function, InstructionSink, ValType};

use super::module::Facts;

/// A kind of instruction, with its immediates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bulk {
    Fill { memory: u32 },
    Copy { to: u32, from: u32 },
    Init { memory: u32, segment: u32 },
}

/// Bits of a page's size.
const PAGE_BITS: i64 = 16;

/// The operands of each of these instructions: the destination, a value or the source,
/// and the length.
const TO: u32 = 0;
const FROM: u32 = 1;
const LEN: u32 = 2;

/// What is left, the length of a piece, and its offset.
const LEFT: u32 = 3;
const PIECE: u32 = 4;
const AT: u32 = 5;

/// Creates a function that takes the operands of such an instruction and returns those
/// of what is left to do.
///
/// These have a length of zero if it has done everything, and are unchanged if they are
/// out of bounds. The bounds are checked before the first piece: memories do not shrink,
/// and a dropped segment makes the first piece trap before it begins.
pub(super) fn function(bulk: Bulk, piece: u32, facts: &Facts) -> Function {
    let mut function = Function::new([(3, ValType::I32)]);
    let mut code = function.instructions();
    code.block(BlockType::Empty);
    match bulk {
        Bulk::Fill { memory } => leave_unless_within(&mut code, TO, memory),
        Bulk::Copy { to, from } => {
            leave_unless_within(&mut code, TO, to);
            leave_unless_within(&mut code, FROM, from);
        }
        Bulk::Init { memory, segment } => {
            leave_unless_within(&mut code, TO, memory);
            end_of(&mut code, FROM);
            code.i64_const(facts.data_bytes(segment).into())
                .i64_gt_u()
                .br_if(0);
        }
    }
    let piece = piece.cast_signed();
    code.local_get(LEN)
        .local_set(LEFT)
        .loop_(BlockType::Empty)
        .local_get(LEFT)
        .i32_const(piece)
        .local_get(LEFT)
        .i32_const(piece)
        .i32_lt_u()
        .select()
        .local_set(PIECE);
    // From the beginning; or from the end, where the source might be overwritten before
    // it is read.
    code.local_get(LEN).local_get(LEFT).i32_sub();
    if matches!(bulk, Bulk::Copy { .. }) {
        code.local_get(LEFT)
            .local_get(PIECE)
            .i32_sub()
            .local_get(TO)
            .local_get(FROM)
            .i32_le_u()
            .select();
    }
    code.local_set(AT).local_get(TO).local_get(AT).i32_add();
    match bulk {
        Bulk::Fill { memory } => {
            code.local_get(FROM).local_get(PIECE).memory_fill(memory);
        }
        Bulk::Copy { to, from } => {
            code.local_get(FROM)
                .local_get(AT)
                .i32_add()
                .local_get(PIECE)
                .memory_copy(to, from);
        }
        Bulk::Init { memory, segment } => {
            code.local_get(FROM)
                .local_get(AT)
                .i32_add()
                .local_get(PIECE)
                .memory_init(memory, segment);
        }
    }
    code.local_get(LEFT)
        .local_get(PIECE)
        .i32_sub()
        .local_tee(LEFT)
        .br_if(0)
        .end()
        .local_get(TO)
        .local_get(FROM)
        .i32_const(0)
        .return_()
        .end()
        .local_get(TO)
        .local_get(FROM)
        .local_get(LEN)
        .end();
    function
}

/// Leaves the block if the range that begins there is not within the memory.
fn leave_unless_within(code: &mut InstructionSink<'_>, start: u32, memory: u32) {
    end_of(code, start);
    code.memory_size(memory)
        .i64_extend_i32_u()
        .i64_const(PAGE_BITS)
        .i64_shl()
        .i64_gt_u()
        .br_if(0);
}

/// Computes the end of the range that begins there, in 64 bits, which hold every sum.
fn end_of(code: &mut InstructionSink<'_>, start: u32) {
    code.local_get(start)
        .i64_extend_i32_u()
        .local_get(LEN)
        .i64_extend_i32_u()
        .i64_add();
}
