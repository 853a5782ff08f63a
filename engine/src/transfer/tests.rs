//! What is guarded and what is not, and that the result is valid. That it bounds anything
//! is tested by real runs, in `tests/it/composed.rs`.

use wasm_encoder::{
    CanonicalOption, CodeSection, ComponentBuilder, ComponentTypeRef, ConstExpr, DataSection,
    EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, MemorySection,
    MemoryType, Module, ModuleArg, PrimitiveValType, TypeSection, ValType,
};
use wasmparser::Validator;

use super::*;

/// Returns a module that re-exports an imported `realloc`, without functions of its own.
fn passing_on() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    let mut imports = ImportSection::new();
    imports.import("m", "r", EntityType::Function(0));
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    exports.export("realloc", ExportKind::Func, 0);
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(0), [1, 2]);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&memories)
        .section(&exports)
        .section(&data);
    module.finish()
}

/// Returns a module that exports its own `realloc` under two names, and refers to it.
fn own() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    exports.export("realloc", ExportKind::Func, 0);
    exports.export("other", ExportKind::Func, 0);
    let mut code = CodeSection::new();
    let mut body = Function::new([]);
    // Without an export, `ref.func` would be invalid.
    body.instructions().ref_func(0).drop().i32_const(0).end();
    code.function(&body);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&functions)
        .section(&exports)
        .section(&code);
    module.finish()
}

/// Returns a component whose function takes a text and has this `realloc` option.
fn part(option: impl FnOnce(&mut ComponentBuilder, u32) -> u32) -> ComponentBuilder {
    let mut part = ComponentBuilder::default();
    let (ty, mut function) = part.type_function(None);
    function
        .async_(false)
        .params([("text", PrimitiveValType::String)])
        .result(None);
    let imported = part.import("f", ComponentTypeRef::Func(ty));
    let realloc = option(&mut part, imported);
    part.lift_func(None, realloc, ty, [CanonicalOption::Realloc(realloc)]);
    part
}

fn lowered(part: &mut ComponentBuilder, imported: u32) -> u32 {
    part.lower_func(None, imported, [])
}

fn of_module(part: &mut ComponentBuilder, _: u32) -> u32 {
    let module = part.core_module_raw(None, &own());
    let instance = part.core_instantiate(None, module, [] as [(&str, ModuleArg); 0]);
    let function = part.core_alias_export(None, instance, "realloc", ExportKind::Func);
    let list = [("listed", ExportKind::Func, function)];
    let listed = part.core_instantiate_exports(None, list);
    part.core_alias_export(None, listed, "listed", ExportKind::Func)
}

fn whole_of(part: ComponentBuilder) -> Vec<u8> {
    let mut whole = ComponentBuilder::default();
    whole.component(None, part);
    whole.finish()
}

#[test]
fn a_module_with_guards_is_valid() {
    let names = ["realloc".to_owned(), "other".to_owned()].into();
    for module in [passing_on(), own()] {
        let guarded = guard::put_in_front(&module, &names).unwrap();
        assert!(matches!(guarded, Cow::Owned(_)));
        Validator::new().validate_all(&guarded).unwrap();
    }
}

#[test]
fn a_function_of_another_name_or_type_has_no_guard() {
    let other = ["another".to_owned()].into();
    let same = guard::put_in_front(&own(), &other).unwrap().into_owned();
    assert_eq!(same, own());
}

#[test]
fn a_realloc_is_found_behind_lists_of_functions() {
    let program = whole_of(part(of_module));
    assert!(matches!(bound(&program), Ok(Cow::Owned(_))));
    let names = Reallocs::of(&program).unwrap();
    assert!(names.names().iter().eq(["realloc"]));
}

#[test]
fn a_part_whose_realloc_is_in_another_component_is_refused() {
    let error = bound(&whole_of(part(lowered))).unwrap_err();
    assert!(matches!(error, Unbounded::NotInModule), "{error}");
}

#[test]
fn a_component_without_parts_is_unchanged() {
    for whole in [part(of_module), part(lowered)] {
        assert!(matches!(bound(&whole.finish()), Ok(Cow::Borrowed(_))));
    }
}
