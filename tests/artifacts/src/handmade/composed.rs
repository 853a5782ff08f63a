//! Components that are composed of two others, each with a memory of its own.

use wasm_encoder::{
    BlockType, CanonicalOption, ComponentBuilder, ComponentExportKind, ComponentTypeRef,
    EntityType, ExportKind, Function, ModuleArg, PrimitiveValType, ValType,
};

use super::{Shape, nothing};

/// What one part hands to the other.
const TEXT: &[u8; 4] = b"text";

/// A command whose one part hands a text to the other, which traps unless it is
/// that text. Compilers make a module with both memories of it.
#[must_use]
pub fn composed() -> Vec<u8> {
    let mut holder = Shape {
        entry: None,
        ..Shape::default()
    };
    let place = wasm_encoder::ConstExpr::i32_const(0);
    holder.data.active(0, &place, TEXT.iter().copied());
    let holder = holder.functions(&[(0, nothing())]);
    let mut run = Function::new([]);
    let (take_it, success) = (0, 0);
    run.instructions()
        .i32_const(0)
        .i32_const(4)
        .call(take_it)
        .i32_const(success)
        .end();
    let utf8 = CanonicalOption::UTF8;
    whole(taker(&comparing(), utf8), giver(&holder, run, utf8))
}

/// Text that one part of a command hands to the other.
#[derive(Clone, Copy, Debug)]
pub struct Handed {
    /// How it is encoded in each part; the giver's is UTF-8 or UTF-16.
    pub encodings: [CanonicalOption; 2],
    /// Code units that it has, an even number. None of them is ASCII.
    pub units: i32,
    /// How many times it is handed; without end if there is no number.
    pub times: Option<i32>,
    /// By which name the taker exports what makes room.
    pub realloc: &'static str,
}

/// A command whose one part hands the same text to the other again and again.
#[must_use]
pub fn handing(handed: Handed) -> Vec<u8> {
    // The same letter in either encoding, and in Latin-1.
    let (word, width) = match handed.encodings[0] {
        CanonicalOption::UTF8 => (*b"\xc3\xa9\xc3\xa9", 1),
        _ => (*b"\xe9\0\xe9\0", 2),
    };
    let bytes = handed.units * width;
    let at = wasm_encoder::MemArg {
        offset: 0,
        align: 0,
        memory_index: 0,
    };
    let place = 0;
    let mut fill = Function::new([(1, ValType::I32)]);
    fill.instructions()
        .loop_(BlockType::Empty)
        .local_get(place)
        .i32_const(i32::from_le_bytes(word))
        .i32_store(at)
        .local_get(place)
        .i32_const(4)
        .i32_add()
        .local_tee(place)
        .i32_const(bytes)
        .i32_lt_u()
        .br_if(0)
        .end()
        .end();
    let holder = Shape {
        entry: None,
        pages: u64::from(bytes.cast_unsigned() / 65_536 + 1),
        start: Some(0),
        ..Shape::default()
    }
    .functions(&[(0, fill)]);
    let (take_it, success, left) = (0, 0, 0);
    let mut run = Function::new([(1, ValType::I32)]);
    run.instructions()
        .i32_const(handed.times.unwrap_or_default())
        .local_set(left)
        .loop_(BlockType::Empty)
        .i32_const(0)
        .i32_const(handed.units)
        .call(take_it);
    match handed.times {
        Some(_) => run
            .instructions()
            .local_get(left)
            .i32_const(1)
            .i32_sub()
            .local_tee(left)
            .br_if(0),
        None => run.instructions().br(0),
    };
    run.instructions().end().i32_const(success).end();
    whole(
        taker(&making_room(handed), handed.encodings[1]),
        giver(&holder, run, handed.encodings[0]),
    )
}

/// Exports `take`, which does nothing with a text, and makes room at the same place for
/// every one.
fn making_room(handed: Handed) -> Taker {
    // Three bytes for a unit is the most that room is ever made for.
    let pages = u64::from(handed.units.cast_unsigned() / 21_845 + 2);
    let mut shape = Shape {
        entry: None,
        pages,
        ..Shape::default()
    };
    let two = shape.ty([ValType::I32; 2], []);
    let four = shape.ty([ValType::I32; 4], [ValType::I32]);
    shape.exports.export("take", ExportKind::Func, 0);
    shape.exports.export(handed.realloc, ExportKind::Func, 1);
    let mut realloc = Function::new([]);
    realloc.instructions().i32_const(1024).end();
    Taker {
        module: shape.functions(&[(two, nothing()), (four, realloc)]),
        realloc: handed.realloc,
    }
}

/// A command whose one part imports what the other exports.
fn whole(taker: ComponentBuilder, giver: ComponentBuilder) -> Vec<u8> {
    let mut whole = ComponentBuilder::default();
    let taker = whole.component(None, taker);
    let giver = whole.component(None, giver);
    let none = [] as [(&str, ComponentExportKind, u32); 0];
    let taker = whole.instantiate(None, taker, none);
    let take = whole.alias_export(taker, "take", ComponentExportKind::Func);
    let giver = whole.instantiate(None, giver, [("take", ComponentExportKind::Func, take)]);
    let kind = ComponentExportKind::Instance;
    whole.export("wasi:cli/run@0.2.0", kind, giver, None);
    whole.finish()
}

/// The type `func(text: string)`.
fn take(component: &mut ComponentBuilder) -> u32 {
    let (ty, mut function) = component.type_function(None);
    function
        .async_(false)
        .params([("text", PrimitiveValType::String)])
        .result(None);
    ty
}

/// A module that exports `take`.
struct Taker {
    module: Vec<u8>,
    /// By which name it exports what makes room.
    realloc: &'static str,
}

/// Exports `take`, which compares.
fn comparing() -> Taker {
    let mut shape = Shape {
        entry: None,
        ..Shape::default()
    };
    let two = shape.ty([ValType::I32; 2], []);
    let four = shape.ty([ValType::I32; 4], [ValType::I32]);
    shape.exports.export("take", ExportKind::Func, 0);
    shape.exports.export("realloc", ExportKind::Func, 1);
    let at = wasm_encoder::MemArg {
        offset: 0,
        align: 0,
        memory_index: 0,
    };
    let (pointer, length) = (0, 1);
    let mut compare = Function::new([]);
    compare
        .instructions()
        .local_get(length)
        .i32_const(4)
        .i32_ne()
        .local_get(pointer)
        .i32_load(at)
        .i32_const(i32::from_le_bytes(*TEXT))
        .i32_ne()
        .i32_or()
        .if_(BlockType::Empty)
        .unreachable()
        .end()
        .end();
    let mut realloc = Function::new([]);
    realloc.instructions().i32_const(1024).end();
    Taker {
        module: shape.functions(&[(two, compare), (four, realloc)]),
        realloc: "realloc",
    }
}

/// Exports `take` of this module.
fn taker(taker: &Taker, encoding: CanonicalOption) -> ComponentBuilder {
    let mut part = ComponentBuilder::default();
    let module = part.core_module_raw(None, &taker.module);
    let instance = part.core_instantiate(None, module, [] as [(&str, ModuleArg); 0]);
    let memory = part.core_alias_export(None, instance, "memory", ExportKind::Memory);
    let realloc = part.core_alias_export(None, instance, taker.realloc, ExportKind::Func);
    let code = part.core_alias_export(None, instance, "take", ExportKind::Func);
    let ty = take(&mut part);
    let options = [
        encoding,
        CanonicalOption::Memory(memory),
        CanonicalOption::Realloc(realloc),
    ];
    let lifted = part.lift_func(None, code, ty, options);
    part.export("take", ComponentExportKind::Func, lifted, None);
    part
}

/// Imports `take` and exports `run`; the text lies in the memory of the first module.
fn giver(holder: &[u8], run: Function, encoding: CanonicalOption) -> ComponentBuilder {
    let mut caller = Shape {
        entry: Some("run"),
        imported: 1,
        export_memory: false,
        ..Shape::default()
    };
    let two = caller.ty([ValType::I32; 2], []);
    let status = caller.ty([], [ValType::I32]);
    caller
        .imports
        .import("part", "take", EntityType::Function(two));
    let caller = caller.finish(&[], &[(status, run)]);

    let mut part = ComponentBuilder::default();
    let ty = take(&mut part);
    let import = part.import("take", ComponentTypeRef::Func(ty));
    let holder = part.core_module_raw(None, holder);
    let holder = part.core_instantiate(None, holder, [] as [(&str, ModuleArg); 0]);
    let memory = part.core_alias_export(None, holder, "memory", ExportKind::Memory);
    let options = [encoding, CanonicalOption::Memory(memory)];
    let lowered = part.lower_func(None, import, options);
    let given = part.core_instantiate_exports(None, [("take", ExportKind::Func, lowered)]);
    let caller = part.core_module_raw(None, &caller);
    let caller = part.core_instantiate(None, caller, [("part", ModuleArg::Instance(given))]);
    let code = part.core_alias_export(None, caller, "run", ExportKind::Func);
    let (outcome, defined) = part.type_defined(None);
    defined.result(None, None);
    let (ty, mut function) = part.type_function(None);
    let result = wasm_encoder::ComponentValType::Type(outcome);
    let none = [] as [(&str, PrimitiveValType); 0];
    function.async_(false).params(none).result(Some(result));
    let lifted = part.lift_func(None, code, ty, []);
    part.export("run", ComponentExportKind::Func, lifted, None);
    part
}
