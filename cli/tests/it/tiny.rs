//! Modules put together by hand, each with one property that a test needs.

use wasm_encoder::{
    CodeSection, ComponentBuilder, ComponentExportKind, ConstExpr, DataSection, EntityType,
    ExportKind, ExportSection, Function, FunctionSection, ImportSection, Instruction,
    MemorySection, MemoryType, Module, TypeSection, ValType,
};

/// A command whose `_start` consists of these instructions.
pub(crate) fn command(body: &[Instruction<'_>]) -> Vec<u8> {
    exporting("_start", body)
}

/// A command that traps.
pub(crate) fn trapping() -> Vec<u8> {
    command(&[Instruction::Unreachable])
}

/// A library: it has a function, but none to start with.
pub(crate) fn reactor() -> Vec<u8> {
    exporting("_initialize", &[])
}

/// A command that leaves with this status.
pub(crate) fn exiting(status: i32) -> Vec<u8> {
    let mut module = Module::new();
    module.section(&types(&[&[], &[ValType::I32]]));
    module.section(&import(
        "wasi_snapshot_preview1",
        "proc_exit",
        EntityType::Function(1),
    ));
    finish(
        module,
        "_start",
        1,
        &[Instruction::I32Const(status), Instruction::Call(0)],
    )
}

/// A command that opens this file for reading, by its path from the root, and leaves with
/// WASI's error number.
pub(crate) fn opening(path: &str) -> Vec<u8> {
    const I32: ValType = ValType::I32;
    const I64: ValType = ValType::I64;
    const WASI: &str = "wasi_snapshot_preview1";
    /// The first folder that a guest is given: the root.
    const ROOT: i32 = 3;
    const RIGHT_TO_READ: i64 = 1 << 1;
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types.ty().function([I32], []);
    types
        .ty()
        .function([I32, I32, I32, I32, I32, I64, I64, I32, I32], [I32]);
    module.section(&types);
    let mut imports = ImportSection::new();
    imports.import(WASI, "proc_exit", EntityType::Function(1));
    imports.import(WASI, "path_open", EntityType::Function(2));
    module.section(&imports);
    let mut functions = FunctionSection::new();
    functions.function(0);
    module.section(&functions);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: Some(1),
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    module.section(&memories);
    let mut exports = ExportSection::new();
    exports.export("_start", ExportKind::Func, 2);
    exports.export("memory", ExportKind::Memory, 0);
    module.section(&exports);
    let length = i32::try_from(path.len()).unwrap();
    module.section(&code(&[
        Instruction::I32Const(ROOT),
        Instruction::I32Const(0),
        Instruction::I32Const(0),
        Instruction::I32Const(length),
        Instruction::I32Const(0),
        Instruction::I64Const(RIGHT_TO_READ),
        Instruction::I64Const(0),
        Instruction::I32Const(0),
        Instruction::I32Const(1_024),
        Instruction::Call(1),
        Instruction::Call(0),
    ]));
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(0), path.bytes());
    module.section(&data);
    module.finish()
}

/// A command that imports a function of this name.
pub(crate) fn importing(namespace: &str, name: &str) -> Vec<u8> {
    let mut module = Module::new();
    module.section(&types(&[&[]]));
    module.section(&import(namespace, name, EntityType::Function(0)));
    finish(module, "_start", 1, &[])
}

/// A module that is invalid: it exports its function twice under this name.
pub(crate) fn exporting_twice(name: &str) -> Vec<u8> {
    let mut module = Module::new();
    module.section(&types(&[&[]]));
    let mut functions = FunctionSection::new();
    functions.function(0);
    module.section(&functions);
    let mut exports = ExportSection::new();
    exports.export(name, ExportKind::Func, 0);
    exports.export(name, ExportKind::Func, 0);
    module.section(&exports);
    module.section(&code(&[]));
    module.finish()
}

/// A command with a memory that threads could share.
pub(crate) fn threaded() -> Vec<u8> {
    let mut module = Module::new();
    module.section(&types(&[&[]]));
    let mut functions = FunctionSection::new();
    functions.function(0);
    module.section(&functions);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: Some(1),
        memory64: false,
        shared: true,
        page_size_log2: None,
    });
    module.section(&memories);
    module.section(&export("_start", 0));
    module.section(&code(&[]));
    module.finish()
}

fn exporting(name: &str, body: &[Instruction<'_>]) -> Vec<u8> {
    let mut module = Module::new();
    module.section(&types(&[&[]]));
    finish(module, name, 0, body)
}

/// Adds the one function, of type 0, under its index and name.
fn finish(mut module: Module, name: &str, index: u32, body: &[Instruction<'_>]) -> Vec<u8> {
    let mut functions = FunctionSection::new();
    functions.function(0);
    module.section(&functions);
    module.section(&export(name, index));
    module.section(&code(body));
    module.finish()
}

/// Function types by their parameters; none has a result.
fn types(parameters: &[&[ValType]]) -> TypeSection {
    let mut types = TypeSection::new();
    for parameters in parameters {
        types.ty().function(parameters.iter().copied(), []);
    }
    types
}

fn import(namespace: &str, name: &str, entity: EntityType) -> ImportSection {
    let mut imports = ImportSection::new();
    imports.import(namespace, name, entity);
    imports
}

fn export(name: &str, index: u32) -> ExportSection {
    let mut exports = ExportSection::new();
    exports.export(name, ExportKind::Func, index);
    exports
}

fn code(body: &[Instruction<'_>]) -> CodeSection {
    let mut function = Function::new([]);
    for instruction in body {
        function.instruction(instruction);
    }
    function.instruction(&Instruction::End);
    let mut code = CodeSection::new();
    code.function(&function);
    code
}

/// A library without `_start` that exports this name and imports nothing.
pub(crate) fn library(name: &str) -> Vec<u8> {
    exporting(name, &[])
}

/// A module with a custom section of this name, and no entry point.
pub(crate) fn with_section(name: &str) -> Vec<u8> {
    let mut module = Module::new();
    module.section(&wasm_encoder::CustomSection {
        name: name.into(),
        data: (&[][..]).into(),
    });
    module.finish()
}

/// A command that imports a memory under this name.
pub(crate) fn importing_memory(namespace: &str, name: &str) -> Vec<u8> {
    let mut module = Module::new();
    module.section(&types(&[&[]]));
    let memory = MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    };
    module.section(&import(namespace, name, EntityType::Memory(memory)));
    finish(module, "_start", 0, &[])
}

/// A component that exports an interface of this name, with nothing in it.
pub(crate) fn component_exporting(interface: &str) -> Vec<u8> {
    let mut component = ComponentBuilder::default();
    let empty = component.component_raw(None, &ComponentBuilder::default().finish());
    let none = [] as [(&str, ComponentExportKind, u32); 0];
    let instance = component.instantiate(None, empty, none);
    component.export(interface, ComponentExportKind::Instance, instance, None);
    component.finish()
}
