//! A module under construction, and modules for proposals that are switched off.

use wasm_encoder::{
    CodeSection, CompositeInnerType, CompositeType, DataSection, ElementSection, ExportKind,
    ExportSection, FuncType, Function, FunctionSection, ImportSection, MemorySection, MemoryType,
    Module, RefType, StartSection, StructType, SubType, TableSection, TableType, TagKind,
    TagSection, TagType, TypeSection, ValType,
};

use super::nothing;

/// A module under construction. Type 0 is that of an entry point.
pub struct Shape {
    /// Its types.
    pub types: TypeSection,
    /// Its imports.
    pub imports: ImportSection,
    /// Functions that `imports` holds.
    pub imported: u32,
    /// Its tables.
    pub tables: TableSection,
    /// Its tags of exceptions.
    pub tags: TagSection,
    /// What its tables begin with.
    pub elements: ElementSection,
    /// What its memory begins with.
    pub data: DataSection,
    /// Its exports, but for those below.
    pub exports: ExportSection,
    /// The start function, counted from the first that is not imported.
    pub start: Option<u32>,
    /// Pages of memory that it begins with.
    pub pages: u64,
    /// The name that its first function is exported by.
    pub entry: Option<&'static str>,
    /// Whether its memory is exported.
    pub export_memory: bool,
}

impl Default for Shape {
    fn default() -> Self {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        Self {
            types,
            imports: ImportSection::new(),
            imported: 0,
            tables: TableSection::new(),
            tags: TagSection::new(),
            elements: ElementSection::new(),
            data: DataSection::new(),
            exports: ExportSection::new(),
            start: None,
            pages: 1,
            entry: Some("_start"),
            export_memory: true,
        }
    }
}

impl Shape {
    /// Adds the type of a function.
    pub fn ty<const P: usize, const R: usize>(
        &mut self,
        params: [ValType; P],
        results: [ValType; R],
    ) -> u32 {
        self.types.ty().function(params, results);
        self.types.len() - 1
    }

    /// Adds a table.
    pub fn table(&mut self, elements: u64) {
        self.tables.table(TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: elements,
            maximum: None,
            shared: false,
        });
    }

    /// Finishes a module whose one function is its entry point.
    #[must_use]
    pub fn command(self, code: Function) -> Vec<u8> {
        self.functions(&[(0, code)])
    }

    /// Finishes a module with these functions, the first being its entry point.
    #[must_use]
    pub fn functions(self, functions: &[(u32, Function)]) -> Vec<u8> {
        let memory = MemoryType {
            minimum: self.pages,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        };
        self.finish(&[memory], functions)
    }

    /// Finishes a module with these memories and functions.
    #[must_use]
    pub fn finish(mut self, memories: &[MemoryType], functions: &[(u32, Function)]) -> Vec<u8> {
        let mut module = Module::new();
        let mut declared = FunctionSection::new();
        let mut code = CodeSection::new();
        for (ty, function) in functions {
            declared.function(*ty);
            code.function(function);
        }
        let mut memory = MemorySection::new();
        for ty in memories {
            memory.memory(*ty);
        }
        if let Some(entry) = self.entry {
            self.exports.export(entry, ExportKind::Func, self.imported);
        }
        if self.export_memory {
            self.exports.export("memory", ExportKind::Memory, 0);
        }
        module
            .section(&self.types)
            .section(&self.imports)
            .section(&declared);
        module.section(&self.tables).section(&memory);
        if !self.tags.is_empty() {
            module.section(&self.tags);
        }
        module.section(&self.exports);
        if let Some(start) = self.start {
            module.section(&StartSection {
                function_index: self.imported + start,
            });
        }
        module
            .section(&self.elements)
            .section(&code)
            .section(&self.data);
        module.finish()
    }
}

/// Modules that need a proposal which is switched off, by its name.
#[must_use]
pub fn proposals() -> Vec<(&'static str, Vec<u8>)> {
    let memory = |memory64, shared| MemoryType {
        minimum: 1,
        maximum: Some(1),
        memory64,
        shared,
        page_size_log2: None,
    };
    let with_memories =
        |memories: &[MemoryType]| Shape::default().finish(memories, &[(0, nothing())]);
    let mut exceptions = Shape::default();
    exceptions.tags.tag(TagType {
        kind: TagKind::Exception,
        func_type_idx: 0,
    });
    let mut structs = Shape::default();
    structs.types.ty().subtype(&sub(
        None,
        CompositeInnerType::Struct(StructType {
            fields: Box::new([]),
        }),
    ));
    let one_memory = [memory(false, false)];
    vec![
        ("threads", with_memories(&[memory(false, true)])),
        ("memory64", with_memories(&[memory(true, false)])),
        ("multi-memory", with_memories(&[memory(false, false); 2])),
        (
            "exceptions",
            exceptions.finish(&one_memory, &[(0, nothing())]),
        ),
        ("gc", structs.finish(&one_memory, &[(0, nothing())])),
        ("gc", call_through_subtype()),
    ]
}

/// Calls a function of a subtype through a table. It once aborted the whole
/// process in builds without garbage collection.
fn call_through_subtype() -> Vec<u8> {
    let mut shape = Shape::default();
    let signature = || CompositeInnerType::Func(FuncType::new([], [ValType::I32]));
    shape
        .types
        .ty()
        .rec([sub(None, signature()), sub(Some(1), signature())]);
    let (parent, child) = (1, 2);
    shape.table(1);
    let mut call = Function::new([]);
    call.instructions()
        .i32_const(0)
        .call_indirect(0, parent)
        .drop()
        .end();
    let mut seven = Function::new([]);
    seven.instructions().i32_const(7).end();
    shape.elements.active(
        None,
        &wasm_encoder::ConstExpr::i32_const(0),
        wasm_encoder::Elements::Functions([1].as_slice().into()),
    );
    shape.functions(&[(0, call), (child, seven)])
}

fn sub(parent: Option<u32>, inner: CompositeInnerType) -> SubType {
    SubType {
        is_final: false,
        supertype_idx: parent,
        composite_type: CompositeType {
            inner,
            shared: false,
            descriptor: None,
            describes: None,
        },
    }
}
