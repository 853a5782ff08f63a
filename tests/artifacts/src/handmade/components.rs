//! Components that are small on the wire and large when they run.

use wasm_encoder::{
    ComponentBuilder, ComponentExportKind, ComponentTypeRef, InstanceType, ModuleArg,
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
