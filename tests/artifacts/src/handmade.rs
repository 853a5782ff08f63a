//! Modules and components that no compiler would make, put together by hand.

mod bombs;
mod compiler;
mod components;
mod composed;
mod printing;
mod shapes;
mod waiting;

pub use self::bombs::{Bomb, bombs, many_tables};
pub use self::compiler::{doubling, locals_everywhere, loops};
pub use self::components::{importing, many_instances, many_modules, spin_in_instances};
pub use self::composed::{Handed, composed, handing};
pub use self::printing::alternating;
pub use self::shapes::{Shape, proposals};
pub use self::waiting::Wait;

use wasm_encoder::{BlockType, EntityType, Function, Instruction, MemArg, ValType};

/// Leaves with the status that stands in its first argument.
///
/// `namespace` is the version of WASI that it imports.
#[must_use]
pub fn exit(namespace: &str) -> Vec<u8> {
    const TEXT: u64 = 0;
    let at = |offset| MemArg {
        offset,
        align: 0,
        memory_index: 0,
    };
    let (text, status) = (0, 1);
    let mut shape = Shape::default();
    let two = shape.ty([ValType::I32; 2], [ValType::I32]);
    let one = shape.ty([ValType::I32], []);
    shape
        .imports
        .import(namespace, "args_get", EntityType::Function(two));
    shape
        .imports
        .import(namespace, "proc_exit", EntityType::Function(one));
    let (args_get, proc_exit) = (0, 1);
    shape.imported = 2;
    let mut code = Function::new([(2, ValType::I32)]);
    code.instructions()
        // The pointers to the arguments go to 8, their text to 1024.
        .i32_const(8)
        .i32_const(1024)
        .call(args_get)
        .drop()
        .i32_const(12)
        .i32_load(at(TEXT))
        .local_set(text)
        .loop_(BlockType::Empty)
        .local_get(text)
        .i32_load8_u(at(TEXT))
        .if_(BlockType::Empty)
        .local_get(status)
        .i32_const(10)
        .i32_mul()
        .local_get(text)
        .i32_load8_u(at(TEXT))
        .i32_const(i32::from(b'0'))
        .i32_sub()
        .i32_add()
        .local_set(status)
        .local_get(text)
        .i32_const(1)
        .i32_add()
        .local_set(text)
        .br(1)
        .end()
        .end()
        .local_get(status)
        .call(proc_exit)
        .end();
    shape.command(code)
}

/// Loops in its start function, before anybody can call its entry point.
#[must_use]
pub fn loop_in_start_function() -> Vec<u8> {
    let mut code = Function::new([]);
    code.instructions()
        .loop_(BlockType::Empty)
        .br(0)
        .end()
        .end();
    let start = Some(0);
    Shape {
        start,
        ..Shape::default()
    }
    .command(code)
}

/// Does nothing, with a memory of that many pages from the start.
#[must_use]
pub fn memory_of(pages: u64) -> Vec<u8> {
    Shape {
        pages,
        ..Shape::default()
    }
    .command(nothing())
}

/// Takes that many pages and loops without end, in one function that calls none.
#[must_use]
pub fn spin_holding(pages: i32) -> Vec<u8> {
    let mut code = Function::new([]);
    code.instructions()
        .i32_const(pages)
        .memory_grow(0)
        .drop()
        .loop_(BlockType::Empty)
        .br(0)
        .end()
        .end();
    Shape::default().command(code)
}

/// Does nothing, with a table of that many elements from the start.
#[must_use]
pub fn table_of(elements: u64) -> Vec<u8> {
    let mut shape = Shape::default();
    shape.table(elements);
    shape.command(nothing())
}

/// Modules that trap, each with a word of its reason.
#[must_use]
pub fn traps() -> Vec<(&'static str, Vec<u8>)> {
    let code = |instructions: &[Instruction<'_>]| {
        let mut function = Function::new([]);
        for instruction in instructions {
            function.instruction(instruction);
        }
        function.instruction(&Instruction::End);
        let mut shape = Shape::default();
        shape.table(1);
        shape.command(function)
    };
    let at = MemArg {
        offset: 0,
        align: 0,
        memory_index: 0,
    };
    let call = Instruction::CallIndirect {
        type_index: 0,
        table_index: 0,
    };
    vec![
        ("unreachable", code(&[Instruction::Unreachable])),
        (
            "divide by zero",
            code(&[
                Instruction::I32Const(1),
                Instruction::I32Const(0),
                Instruction::I32DivS,
                Instruction::Drop,
            ]),
        ),
        (
            "out of bounds memory",
            code(&[
                Instruction::I32Const(-1),
                Instruction::I32Load(at),
                Instruction::Drop,
            ]),
        ),
        (
            "uninitialized element",
            code(&[Instruction::I32Const(0), call.clone()]),
        ),
        ("undefined element", code(&[Instruction::I32Const(7), call])),
    ]
}

/// Takes that many pages and traps unless every byte of them is zero.
#[must_use]
pub fn sum_of_memory(pages: i32) -> Vec<u8> {
    let at = MemArg {
        offset: 0,
        align: 0,
        memory_index: 0,
    };
    let place = 0;
    let mut code = Function::new([(1, ValType::I32)]);
    code.instructions()
        .i32_const(pages)
        .memory_grow(0)
        .drop()
        .loop_(BlockType::Empty)
        .local_get(place)
        .i64_load(at)
        .i64_eqz()
        .i32_eqz()
        .if_(BlockType::Empty)
        .unreachable()
        .end()
        .local_get(place)
        .i32_const(8)
        .i32_add()
        .local_tee(place)
        .memory_size(0)
        .i32_const(1 << 16)
        .i32_mul()
        .i32_lt_u()
        .br_if(0)
        .end()
        .end();
    Shape::default().command(code)
}

/// Calls itself that many times and returns from each call. It needs no stack in its memory.
#[must_use]
pub fn recursing(calls: i32) -> Vec<u8> {
    let left = 0;
    let mut shape = Shape::default();
    let ty = shape.ty([ValType::I32], [ValType::I32]);
    let (start, deeper) = (0, 1);
    let mut entry = Function::new([]);
    entry
        .instructions()
        .i32_const(calls)
        .call(deeper)
        .drop()
        .end();
    let mut code = Function::new([]);
    code.instructions()
        .local_get(left)
        .i32_eqz()
        .if_(BlockType::Result(ValType::I32))
        .i32_const(0)
        .else_()
        .local_get(left)
        .i32_const(1)
        .i32_sub()
        .call(deeper)
        // It is no tail call: something follows.
        .i32_const(1)
        .i32_add()
        .end()
        .end();
    shape.functions(&[(start, entry), (ty, code)])
}

/// A function body that does nothing.
#[must_use]
pub fn nothing() -> Function {
    let mut code = Function::new([]);
    code.instructions().end();
    code
}
