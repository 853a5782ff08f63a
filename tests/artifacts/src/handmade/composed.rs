//! A component that is composed of two others, each with a memory of its own.

use wasm_encoder::{
    CanonicalOption, ComponentBuilder, ComponentExportKind, ComponentTypeRef, EntityType,
    ExportKind, Function, ModuleArg, PrimitiveValType, ValType,
};

use super::{Shape, nothing};

/// What one part hands to the other.
const TEXT: &[u8; 4] = b"text";

/// A command whose one part hands a text to the other, which traps unless it is
/// that text. Compilers make a module with both memories of it.
#[must_use]
pub fn composed() -> Vec<u8> {
    let mut whole = ComponentBuilder::default();
    let taker = whole.component(None, taker());
    let giver = whole.component(None, giver());
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

/// Exports `take`.
fn taker() -> ComponentBuilder {
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
        .if_(wasm_encoder::BlockType::Empty)
        .unreachable()
        .end()
        .end();
    let mut realloc = Function::new([]);
    realloc.instructions().i32_const(1024).end();
    let module = shape.functions(&[(two, compare), (four, realloc)]);

    let mut part = ComponentBuilder::default();
    let module = part.core_module_raw(None, &module);
    let instance = part.core_instantiate(None, module, [] as [(&str, ModuleArg); 0]);
    let memory = part.core_alias_export(None, instance, "memory", ExportKind::Memory);
    let realloc = part.core_alias_export(None, instance, "realloc", ExportKind::Func);
    let code = part.core_alias_export(None, instance, "take", ExportKind::Func);
    let ty = take(&mut part);
    let options = [
        CanonicalOption::UTF8,
        CanonicalOption::Memory(memory),
        CanonicalOption::Realloc(realloc),
    ];
    let lifted = part.lift_func(None, code, ty, options);
    part.export("take", ComponentExportKind::Func, lifted, None);
    part
}

/// Imports `take` and exports `run`.
fn giver() -> ComponentBuilder {
    let mut holder = Shape {
        entry: None,
        ..Shape::default()
    };
    let place = wasm_encoder::ConstExpr::i32_const(0);
    holder.data.active(0, &place, TEXT.iter().copied());
    let holder = holder.functions(&[(0, nothing())]);

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
    let mut run = Function::new([]);
    let (take_it, success) = (0, 0);
    run.instructions()
        .i32_const(0)
        .i32_const(4)
        .call(take_it)
        .i32_const(success)
        .end();
    let caller = caller.finish(&[], &[(status, run)]);

    let mut part = ComponentBuilder::default();
    let ty = take(&mut part);
    let import = part.import("take", ComponentTypeRef::Func(ty));
    let holder = part.core_module_raw(None, &holder);
    let holder = part.core_instantiate(None, holder, [] as [(&str, ModuleArg); 0]);
    let memory = part.core_alias_export(None, holder, "memory", ExportKind::Memory);
    let options = [CanonicalOption::UTF8, CanonicalOption::Memory(memory)];
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
