//! One module: what its functions need to know about it, and where the appended types and
//! functions go.

use std::borrow::Cow;

use wasm_encoder::{Encode as _, ValType};
use wasmparser::{
    BinaryReader, CodeSectionReader, DataKind, DataSectionReader, FunctionSectionReader,
    ImportSectionReader, MemorySectionReader, Result, TypeRef, TypeSectionReader,
};

use super::body::{Changed, Context};
use super::helper::{self, Bulk};
use super::{HEADER_BYTES, append, longer, sections};

const TYPES: u8 = 1;
const IMPORTS: u8 = 2;
const FUNCTIONS: u8 = 3;
const MEMORIES: u8 = 5;
const CODE: u8 = 10;
const DATA: u8 = 11;

/// The first byte of all bulk instructions.
const PREFIX: u8 = 0xfc;

/// What is known about a module before its functions are read.
#[derive(Default)]
pub(super) struct Facts {
    /// The number of parameters of each type.
    params: Vec<u32>,
    imported_functions: u32,
    /// The type of each function that is not imported.
    functions: Vec<u32>,
    /// Whether each memory has 64-bit addresses. Those are left alone: no sandbox runs
    /// them.
    memories_are_long: Vec<bool>,
    /// Bytes of each data segment that can be copied from.
    data: Vec<u32>,
}

impl Facts {
    fn read(program: &[u8]) -> Result<Self> {
        let mut facts = Self::default();
        for section in sections(program)? {
            let reader = || BinaryReader::new(&program[section.content.clone()], 0);
            match section.id {
                TYPES => {
                    for ty in TypeSectionReader::new(reader())?.into_iter_err_on_gc_types() {
                        let params = ty?.params().len();
                        facts.params.push(u32::try_from(params).unwrap_or(u32::MAX));
                    }
                }
                IMPORTS => {
                    for import in ImportSectionReader::new(reader())?.into_imports() {
                        match import?.ty {
                            TypeRef::Func(_) | TypeRef::FuncExact(_) => {
                                facts.imported_functions += 1;
                            }
                            TypeRef::Memory(ty) => facts.memories_are_long.push(ty.memory64),
                            TypeRef::Table(_) | TypeRef::Global(_) | TypeRef::Tag(_) => {}
                        }
                    }
                }
                FUNCTIONS => {
                    for ty in FunctionSectionReader::new(reader())? {
                        facts.functions.push(ty?);
                    }
                }
                MEMORIES => {
                    for ty in MemorySectionReader::new(reader())? {
                        facts.memories_are_long.push(ty?.memory64);
                    }
                }
                DATA => {
                    for data in DataSectionReader::new(reader())? {
                        let data = data?;
                        facts.data.push(match data.kind {
                            DataKind::Passive => u32::try_from(data.data.len()).unwrap_or(u32::MAX),
                            // It is empty once the module is instantiated.
                            DataKind::Active { .. } => 0,
                        });
                    }
                }
                _ => {}
            }
        }
        Ok(facts)
    }

    /// Returns the number of parameters of a function that is not imported.
    pub(super) fn params_of(&self, function: usize) -> u32 {
        let ty = self.functions.get(function).copied().unwrap_or(u32::MAX);
        self.params.get(ty as usize).copied().unwrap_or_default()
    }

    /// Returns whether this memory has 32-bit addresses.
    pub(super) fn is_short(&self, memory: u32) -> bool {
        self.memories_are_long.get(memory as usize) == Some(&false)
    }

    /// Returns the size of this data segment in bytes.
    pub(super) fn data_bytes(&self, segment: u32) -> u32 {
        self.data.get(segment as usize).copied().unwrap_or_default()
    }
}

/// Splits one module.
pub(super) fn split(program: &[u8], piece: u32) -> Result<Cow<'_, [u8]>> {
    let all = sections(program)?;
    let is_large = |section: &super::Section| {
        section.id == CODE && program[section.content.clone()].contains(&PREFIX)
    };
    if !all.iter().any(is_large) {
        return Ok(Cow::Borrowed(program));
    }
    let facts = Facts::read(program)?;
    let defined = u32::try_from(facts.functions.len()).unwrap_or(u32::MAX);
    let mut context = Context {
        first_type: u32::try_from(facts.params.len()).unwrap_or(u32::MAX),
        first_helper: facts.imported_functions.saturating_add(defined),
        facts,
        piece,
        helpers: Vec::new(),
    };
    let mut code = None;
    for section in all.iter().filter(|section| section.id == CODE) {
        let content = &program[section.content.clone()];
        let mut bodies = Vec::new();
        let reader = CodeSectionReader::new(BinaryReader::new(content, 0))?;
        let count = reader.count();
        for (index, body) in reader.into_iter().enumerate() {
            let body = body?;
            match super::body::split(&mut context, index, &body)? {
                Changed::Yes(body) => body.encode(&mut bodies),
                Changed::No => body.as_bytes().encode(&mut bodies),
            }
        }
        code = Some((count, bodies));
    }
    let Some((count, mut bodies)) = code.filter(|_| !context.helpers.is_empty()) else {
        return Ok(Cow::Borrowed(program));
    };
    let more = u32::try_from(context.helpers.len()).unwrap_or(u32::MAX);
    for bulk in &context.helpers {
        helper::function(*bulk, piece, &context.facts).encode(&mut bodies);
    }
    let mut out = program[..HEADER_BYTES].to_vec();
    for section in all {
        let content = &program[section.content];
        match section.id {
            TYPES => append(&mut out, TYPES, &longer(content, 2, &types())?),
            FUNCTIONS => {
                let mut types = Vec::new();
                for _ in 0..more {
                    context.helper_type().encode(&mut types);
                }
                append(&mut out, FUNCTIONS, &longer(content, more, &types)?);
            }
            CODE => {
                let mut content = Vec::with_capacity(bodies.len() + 5);
                count.saturating_add(more).encode(&mut content);
                content.append(&mut bodies);
                append(&mut out, CODE, &content);
            }
            id => append(&mut out, id, content),
        }
    }
    Ok(Cow::Owned(out))
}

/// Returns the appended types: that of a block around a call of a helper, where the
/// length is in a local, and that of the helper.
fn types() -> Vec<u8> {
    const FUNCTION: u8 = 0x60;
    let mut types = Vec::new();
    for params in [2_u32, 3] {
        types.push(FUNCTION);
        for len in [params, 3] {
            len.encode(&mut types);
            (0..len).for_each(|_| ValType::I32.encode(&mut types));
        }
    }
    types
}

impl Context {
    /// Appends a helper for this kind of instruction, unless there is one already, and
    /// returns its index.
    pub(super) fn helper(&mut self, bulk: Bulk) -> u32 {
        let known = self.helpers.iter().position(|known| *known == bulk);
        let place = known.unwrap_or_else(|| {
            self.helpers.push(bulk);
            self.helpers.len() - 1
        });
        self.first_helper
            .saturating_add(u32::try_from(place).unwrap_or(u32::MAX))
    }
}
