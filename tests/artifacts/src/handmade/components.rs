//! Components that are small on the wire and large when they run.

use wasm_encoder::{
    BlockType, ComponentBuilder, ComponentExportKind, ComponentTypeRef, ComponentValType,
    ExportKind, Function, InstanceType, ModuleArg, PrimitiveValType, ValType,
};

use super::{Shape, nothing};

/// A component that imports an interface of this name.
#[must_use]
pub fn importing(interface: &str) -> Vec<u8> {
    let mut component = ComponentBuilder::default();
    let ty = component.type_instance(None, &InstanceType::new());
    component.import(interface, ComponentTypeRef::Instance(ty));
    component.finish()
}

/// A component with that many modules, one beside the other.
#[must_use]
pub fn many_modules(count: u32) -> Vec<u8> {
    let module = Shape::default().command(nothing());
    let mut component = ComponentBuilder::default();
    for _ in 0..count {
        component.core_module_raw(None, &module);
    }
    component.finish()
}

/// A command that is made of that many instances of one module.
#[must_use]
pub fn many_instances(count: u32) -> Vec<u8> {
    let module = Shape::default().command(nothing());
    let mut component = ComponentBuilder::default();
    let module = component.core_module_raw(None, &module);
    for _ in 0..count {
        component.core_instantiate(None, module, [] as [(&str, ModuleArg); 0]);
    }
    // An instance of nothing, by the name of the entry point.
    let nothing = component.component_raw(None, &ComponentBuilder::default().finish());
    let none = [] as [(&str, ComponentExportKind, u32); 0];
    let run = component.instantiate(None, nothing, none);
    let kind = ComponentExportKind::Instance;
    component.export("wasi:cli/run@0.2.0", kind, run, None);
    component.finish()
}

/// A command that is made of that many instances of one module, each with a memory of
/// its own, and that never ends.
#[must_use]
pub fn spin_in_instances(count: u32) -> Vec<u8> {
    let mut shape = Shape {
        entry: Some("run"),
        ..Shape::default()
    };
    let status = shape.ty([], [ValType::I32]);
    let mut run = Function::new([]);
    run.instructions()
        .loop_(BlockType::Empty)
        .br(0)
        .end()
        .unreachable()
        .end();
    let module = shape.functions(&[(status, run)]);

    let mut part = ComponentBuilder::default();
    let module = part.core_module_raw(None, &module);
    let mut last = 0;
    for _ in 0..count {
        last = part.core_instantiate(None, module, [] as [(&str, ModuleArg); 0]);
    }
    let code = part.core_alias_export(None, last, "run", ExportKind::Func);
    let (outcome, defined) = part.type_defined(None);
    defined.result(None, None);
    let (ty, mut function) = part.type_function(None);
    let none = [] as [(&str, PrimitiveValType); 0];
    function
        .async_(false)
        .params(none)
        .result(Some(ComponentValType::Type(outcome)));
    let lifted = part.lift_func(None, code, ty, []);
    part.export("run", ComponentExportKind::Func, lifted, None);

    let mut whole = ComponentBuilder::default();
    let part = whole.component(None, part);
    let none = [] as [(&str, ComponentExportKind, u32); 0];
    let part = whole.instantiate(None, part, none);
    let kind = ComponentExportKind::Instance;
    whole.export("wasi:cli/run@0.2.0", kind, part, None);
    whole.finish()
}
