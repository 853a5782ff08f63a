//! Modules that would take a compiler far more time or memory than they are worth.

use wasm_encoder::{ConstExpr, ExportKind, Function, ValType};

use super::{Shape, nothing};

/// Modules with too much of one thing, by the name of that thing.
pub(crate) fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let mut locals = Function::new([(49_000, ValType::V128)]);
    locals.instructions().end();
    let mut long = Function::new([]);
    for _ in 0..=1 << 20 {
        long.instructions().nop();
    }
    long.instructions().end();
    let functions = vec![(0, nothing()); 1_000_000];
    let mut exports = Shape::default();
    for index in 0..20_000 {
        exports
            .exports
            .export(&index.to_string(), ExportKind::Func, 0);
    }
    let mut data = Shape::default();
    for _ in 0..=100_000 {
        data.data.active(0, &ConstExpr::i32_const(0), [1]);
    }
    let mut table = Shape::default();
    table.table(10_000_000);
    let pages = Shape {
        pages: 65_536,
        ..Shape::default()
    };
    vec![
        ("locals in one function", Shape::default().command(locals)),
        ("bytes in one function", Shape::default().command(long)),
        ("functions", Shape::default().functions(&functions)),
        ("exports", exports.command(nothing())),
        ("data segments", data.command(nothing())),
        ("table elements", table.command(nothing())),
        ("initial memory pages", pages.command(nothing())),
    ]
}

/// A module with this many tables.
pub(crate) fn many_tables(count: u32) -> Vec<u8> {
    let mut shape = Shape::default();
    for _ in 0..count {
        shape.table(1);
    }
    shape.command(nothing())
}
