//! The twin of a module that imports one more function, which works on files.
//!
//! It does not call it and does the same as before. But a program that imports such
//! a function gets a folder, and with it other ways for the host to wait.

use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{EntityType, ImportSection, Module, SectionId, TypeSection, ValType};
use wasmparser::{Parser, Payload};

/// Makes the twin of a module.
///
/// # Panics
///
/// If `module` is not a valid module.
#[must_use]
pub fn with_files(module: &[u8]) -> Vec<u8> {
    let mut twin = Twin {
        imported: imported_functions(module),
        ty: 0,
        added: false,
    };
    let mut out = Module::new();
    twin.parse_core_module(&mut out, Parser::new(0), module)
        .expect("the module is valid");
    out.finish()
}

struct Twin {
    /// Functions that are imported already: the new one comes after them.
    imported: u32,
    /// The type of the new one.
    ty: u32,
    added: bool,
}

impl Twin {
    fn add(&mut self, imports: &mut ImportSection) {
        let ty = EntityType::Function(self.ty);
        imports.import("wasi_snapshot_preview1", "path_unlink_file", ty);
        self.added = true;
    }
}

impl Reencode for Twin {
    type Error = Infallible;

    fn function_index(&mut self, func: u32) -> Result<u32, Error<Infallible>> {
        Ok(func + u32::from(func >= self.imported))
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_type_section(self, types, section)?;
        self.ty = types.len();
        types.ty().function([ValType::I32; 3], [ValType::I32]);
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_import_section(self, imports, section)?;
        self.add(imports);
        Ok(())
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Error<Infallible>> {
        let place = after == Some(SectionId::Type) && before != Some(SectionId::Import);
        if place && !self.added {
            let mut imports = ImportSection::new();
            self.add(&mut imports);
            module.section(&imports);
        }
        Ok(())
    }
}

fn imported_functions(module: &[u8]) -> u32 {
    let mut count = 0;
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(section) = payload.expect("the module is valid") {
            for import in section.into_imports() {
                let import = import.expect("the module is valid");
                count += u32::from(matches!(
                    import.ty,
                    wasmparser::TypeRef::Func(_) | wasmparser::TypeRef::FuncExact(_)
                ));
            }
        }
    }
    count
}
