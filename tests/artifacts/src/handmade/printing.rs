//! A module that prints as many pieces as it can.

use wasm_encoder::{BlockType, ConstExpr, EntityType, Function, ValType};

use super::Shape;

/// Prints one byte after another for ever, on standard output and standard error by turns.
#[must_use]
pub fn alternating() -> Vec<u8> {
    const PIECE: i32 = 16;
    let mut shape = Shape::default();
    let write = shape.ty([ValType::I32; 4], [ValType::I32]);
    shape.imports.import(
        "wasi_snapshot_preview1",
        "fd_write",
        EntityType::Function(write),
    );
    shape.imported = 1;
    // The piece: one byte at 0.
    let piece = [0, 0, 0, 0, 1, 0, 0, 0];
    shape.data.active(0, &ConstExpr::i32_const(0), *b".");
    shape.data.active(0, &ConstExpr::i32_const(PIECE), piece);
    let mut code = Function::new([]);
    let mut instructions = code.instructions();
    instructions.loop_(BlockType::Empty);
    for stream in [1, 2] {
        instructions
            .i32_const(stream)
            .i32_const(PIECE)
            .i32_const(1)
            .i32_const(PIECE + 8)
            .call(0)
            .drop();
    }
    instructions.br(0).end().end();
    shape.command(code)
}
