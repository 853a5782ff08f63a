//! Bombs for the compiler that no counting finds: small, valid, and endless to
//! compile. They end at the limits of the process that compiles them.

use wasm_encoder::{
    BlockType, ComponentBuilder, ComponentExportKind, Function, ModuleArg, ValType,
};

use super::{Shape, nothing};

/// Loops enough in one function to keep a compiler busy for many seconds, and
/// still less than a function's limit of 1 MiB.
const LOOPS: u32 = 70_000;

/// A command with that many functions, each of one loop after the other, all of
/// them over the same locals.
#[must_use]
pub fn loops(functions: usize) -> Vec<u8> {
    const LOCALS: u32 = 50;
    let mut code = Function::new([(LOCALS, ValType::I32)]);
    let mut body = code.instructions();
    for index in 0..LOOPS {
        body.loop_(BlockType::Empty)
            .local_get(index % LOCALS)
            .local_get((index + 1) % LOCALS)
            .i32_sub()
            .local_tee(index % LOCALS)
            .br_if(0)
            .end();
    }
    body.end();
    Shape::default().functions(&vec![(0, code); functions])
}

/// A command with nearly as many functions as are accepted, each of them empty
/// but for nearly as many locals as are accepted.
#[must_use]
pub fn locals_everywhere() -> Vec<u8> {
    let mut code = Function::new([(4_090, ValType::V128)]);
    code.instructions().end();
    Shape::default().functions(&vec![(0, code); 190_000])
}

/// A command that is made of two instances of a component which is made of two
/// instances, and so on down to one module.
#[must_use]
pub fn doubling(levels: usize) -> Vec<u8> {
    let mut lowest = ComponentBuilder::default();
    let module = lowest.core_module_raw(None, &Shape::default().command(nothing()));
    lowest.core_instantiate(None, module, [] as [(&str, ModuleArg); 0]);
    let mut inner = lowest.finish();
    for level in 1..=levels {
        let mut outer = ComponentBuilder::default();
        let component = outer.component_raw(None, &inner);
        let none = || [] as [(&str, ComponentExportKind, u32); 0];
        let instance = outer.instantiate(None, component, none());
        outer.instantiate(None, component, none());
        if level == levels {
            let kind = ComponentExportKind::Instance;
            outer.export("wasi:cli/run@0.2.0", kind, instance, None);
        }
        inner = outer.finish();
    }
    inner
}
