//! One module: the guards in front of the functions that it exports as a `realloc`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use wasm_encoder::{BlockType, Encode as _, Function, NameMap, NameSection, Section as _, ValType};
use wasmparser::{
    BinaryReader, FunctionSectionReader, ImportSectionReader, Result, TypeRef, TypeSectionReader,
};

use super::{GUARD_NAME, ROOM_MAX_BYTES};
use crate::bulk::{HEADER_BYTES, append, longer, sections};

const TYPES: u8 = 1;
const IMPORTS: u8 = 2;
const FUNCTIONS: u8 = 3;
const EXPORTS: u8 = 7;
const CODE: u8 = 10;

/// The kind of an export that is a function.
const FUNCTION: u8 = 0;

/// Fuel per allocated byte: moving a text takes from 0.1 to 1 ns per byte, and the first
/// touch of its page as long again. See [`meter`](crate::sandbox::meter).
const ROOM_BYTE: u32 = 10;

/// The number of bytes that one loop iteration burns fuel for, as a power of two: the loop
/// itself must take no time.
const TURN_BITS: i32 = 4;

/// Fuel of an iteration beyond what the loop itself takes.
const TURN: u32 = (ROOM_BYTE << TURN_BITS) - 5;

/// The operands of a `realloc`: the old address, the old length, the alignment, and the
/// new length.
const OPERANDS: u32 = 4;
const LEN: u32 = 3;

/// The local with the iterations that are left.
const TURNS: u32 = 4;

/// An export of a module.
struct Export<'a> {
    name: &'a str,
    kind: u8,
    index: u32,
}

/// The types of a module's functions, as far as they matter here.
#[derive(Default)]
struct Facts {
    /// Whether each type is that of a `realloc`.
    fits: Vec<bool>,
    /// The type of each function, the imported ones first.
    functions: Vec<u32>,
}

/// Puts a guard in front of each function that a module exports by one of these names, if
/// it has the type of a `realloc`. The module itself still calls its own directly.
pub(super) fn put_in_front<'a>(
    module: &'a [u8],
    names: &BTreeSet<String>,
) -> Result<Cow<'a, [u8]>> {
    let all = sections(module)?;
    let mut facts = Facts::default();
    let mut exports = Vec::new();
    for section in &all {
        let content = &module[section.content.clone()];
        match section.id {
            EXPORTS => exports = read_exports(content)?,
            id => facts.read(id, content)?,
        }
    }
    let mut guarded: Vec<u32> = Vec::new();
    let first_guard = length(&facts.functions);
    let mut listed = Vec::new();
    for export in &exports {
        let is_one = export.kind == FUNCTION
            && names.contains(export.name)
            && facts.fits_function(export.index);
        let index = if is_one {
            let known = guarded.iter().position(|known| *known == export.index);
            let place = known.unwrap_or_else(|| {
                guarded.push(export.index);
                guarded.len() - 1
            });
            first_guard.saturating_add(u32::try_from(place).unwrap_or(u32::MAX))
        } else {
            export.index
        };
        encode_export(&mut listed, export.name, export.kind, index);
    }
    if guarded.is_empty() {
        return Ok(Cow::Borrowed(module));
    }
    // Only an exported function can be the target of `ref.func`, so each stays exported.
    for function in &guarded {
        let mut name = format!("unguarded {function}");
        while exports.iter().any(|export| export.name == name) {
            name.push('\'');
        }
        encode_export(&mut listed, &name, FUNCTION, *function);
    }
    let mut content = Vec::new();
    length(&exports)
        .saturating_add(length(&guarded))
        .encode(&mut content);
    content.append(&mut listed);
    rewrite(module, &facts, &guarded, first_guard, &content)
}

fn rewrite<'a>(
    module: &'a [u8],
    facts: &Facts,
    guarded: &[u32],
    first_guard: u32,
    exports: &[u8],
) -> Result<Cow<'a, [u8]>> {
    let more = length(guarded);
    let (mut types, mut bodies, mut names) = (Vec::new(), Vec::new(), NameMap::new());
    for (guard, function) in (first_guard..).zip(guarded) {
        facts.functions[*function as usize].encode(&mut types);
        body(*function).encode(&mut bodies);
        names.append(guard, GUARD_NAME);
    }
    // A module that only re-exports what it imports has neither of these sections.
    let mut missing = vec![(FUNCTIONS, types), (CODE, bodies)];
    let mut out = module[..HEADER_BYTES].to_vec();
    for section in sections(module)? {
        let content = &module[section.content];
        while let Some((id, entries)) = missing.first()
            && order(section.id) > order(*id)
        {
            append(&mut out, *id, &longer(&[0], more, entries)?);
            missing.remove(0);
        }
        match (section.id, missing.first()) {
            (EXPORTS, _) => append(&mut out, EXPORTS, exports),
            (id, Some((next, entries))) if id == *next => {
                append(&mut out, id, &longer(content, more, entries)?);
                missing.remove(0);
            }
            (id, _) => append(&mut out, id, content),
        }
    }
    for (id, entries) in missing {
        append(&mut out, id, &longer(&[0], more, &entries)?);
    }
    let mut section = NameSection::new();
    section.functions(&names);
    section.append_to(&mut out);
    Ok(Cow::Owned(out))
}

/// Returns the order of a section among the others; custom sections may be anywhere.
fn order(section: u8) -> u8 {
    const DATA_COUNT: u8 = 12;
    const TAGS: u8 = 13;
    const MEMORIES: u8 = 5;
    match section {
        // Twice as far apart as the numbers are.
        TAGS => 2 * MEMORIES + 1,
        DATA_COUNT => 2 * CODE - 1,
        id => 2 * id,
    }
}

/// Creates a guard: traps for too much, burns fuel for the rest, and calls `function`.
fn body(function: u32) -> Function {
    let mut guard = Function::new([(1, ValType::I32)]);
    let mut code = guard.instructions();
    code.local_get(LEN)
        .i32_const(ROOM_MAX_BYTES.cast_signed())
        .i32_gt_u()
        .if_(BlockType::Empty)
        .unreachable()
        .end()
        .local_get(LEN)
        .i32_const(TURN_BITS)
        .i32_shr_u()
        .local_tee(TURNS)
        .if_(BlockType::Empty)
        .loop_(BlockType::Empty);
    for _ in 0..TURN {
        // Each takes one unit of fuel, and no time.
        code.i32_const(0).drop();
    }
    code.local_get(TURNS)
        .i32_const(1)
        .i32_sub()
        .local_tee(TURNS)
        .br_if(0)
        .end()
        .end();
    (0..OPERANDS).for_each(|operand| {
        code.local_get(operand);
    });
    code.call(function).end();
    guard
}

impl Facts {
    fn read(&mut self, id: u8, content: &[u8]) -> Result<()> {
        let reader = BinaryReader::new(content, 0);
        match id {
            TYPES => {
                for ty in TypeSectionReader::new(reader)?.into_iter_err_on_gc_types() {
                    let ty = ty?;
                    let word = wasmparser::ValType::I32;
                    self.fits
                        .push(ty.params() == [word; OPERANDS as usize] && ty.results() == [word]);
                }
            }
            IMPORTS => {
                for import in ImportSectionReader::new(reader)?.into_imports() {
                    if let TypeRef::Func(ty) | TypeRef::FuncExact(ty) = import?.ty {
                        self.functions.push(ty);
                    }
                }
            }
            FUNCTIONS => {
                for ty in FunctionSectionReader::new(reader)? {
                    self.functions.push(ty?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn fits_function(&self, function: u32) -> bool {
        let ty = self.functions.get(function as usize);
        ty.and_then(|ty| self.fits.get(*ty as usize)) == Some(&true)
    }
}

fn read_exports(content: &[u8]) -> Result<Vec<Export<'_>>> {
    let mut reader = BinaryReader::new(content, 0);
    let count = reader.read_var_u32()?;
    (0..count)
        .map(|_| {
            Ok(Export {
                name: reader.read_string()?,
                kind: reader.read_u8()?,
                index: reader.read_var_u32()?,
            })
        })
        .collect()
}

fn encode_export(out: &mut Vec<u8>, name: &str, kind: u8, index: u32) {
    name.encode(out);
    out.push(kind);
    index.encode(out);
}

fn length<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}
