//! Modules that would take a compiler far more time or memory than they are worth.

use wasm_encoder::{ConstExpr, ExportKind, Function, ValType};

use super::{Shape, nothing, table_of};

/// A module with too much of one thing.
#[derive(Clone, Copy, Debug)]
pub struct Bomb {
    /// The name of that thing.
    pub what: &'static str,
    /// Makes the module; some have megabytes.
    pub make: fn() -> Vec<u8>,
}

/// One bomb for each thing that is counted.
#[must_use]
pub fn bombs() -> Vec<Bomb> {
    let bomb = |what, make| Bomb { what, make };
    vec![
        bomb("locals in one function", locals),
        bomb("bytes in one function", long),
        bomb("functions", || {
            Shape::default().functions(&vec![(0, nothing()); 1_000_000])
        }),
        bomb("exports", exports),
        bomb("data segments", data),
        bomb("table elements", || table_of(10_000_000)),
        bomb("initial memory pages", || {
            Shape {
                pages: 65_536,
                ..Shape::default()
            }
            .command(nothing())
        }),
    ]
}

/// A module with this many tables.
#[must_use]
pub fn many_tables(count: u32) -> Vec<u8> {
    let mut shape = Shape::default();
    for _ in 0..count {
        shape.table(1);
    }
    shape.command(nothing())
}

fn locals() -> Vec<u8> {
    let mut code = Function::new([(49_000, ValType::V128)]);
    code.instructions().end();
    Shape::default().command(code)
}

fn long() -> Vec<u8> {
    let mut code = Function::new([]);
    for _ in 0..=1 << 20 {
        code.instructions().nop();
    }
    code.instructions().end();
    Shape::default().command(code)
}

fn exports() -> Vec<u8> {
    let mut shape = Shape::default();
    for index in 0..20_000 {
        shape
            .exports
            .export(&index.to_string(), ExportKind::Func, 0);
    }
    shape.command(nothing())
}

fn data() -> Vec<u8> {
    let mut shape = Shape::default();
    for _ in 0..=100_000 {
        shape.data.active(0, &ConstExpr::i32_const(0), [1]);
    }
    shape.command(nothing())
}
