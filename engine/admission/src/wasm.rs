//! Checks that bytes are a module or component that we run, before compiling them.
//!
//! Validation is linear in the size; compilation is not. So everything that makes
//! compilers slow or hungry is counted and bounded here.

use wasmparser::{Parser, Payload, TypeRef, Validator};

use crate::fix::{self, Clues, Strength};
use crate::imports::{component_may_import, is_about_files, module_may_import};
use crate::kind::Kind;
use crate::proposals;
use crate::refusal::{Refusal, one_line, quoted};
use crate::survey::Survey;

/// The largest module or component, in bytes, whatever an operator sets: 128 MiB.
pub const WASM_MAX_BYTES: u64 = 128 << 20;

/// Bounds on a module's shape. Every module of a corpus of real ones (compilers and
/// interpreters among them) passes; the comments give the highest value found there.
const BODY_MAX_BYTES: u64 = 1 << 20; // 426,843
const LOCALS_MAX: u64 = 4_096; // 791
const FUNCTIONS_MAX: u64 = 200_000; // 133,398
const EXPORTS_MAX: u64 = 20_000; // 4,187
const DATA_SEGMENTS_MAX: u64 = 100_000; // 63,571
const ELEMENTS_MAX: u64 = 131_072; // 37,270
const MEMORY_PAGES_MAX: u64 = 4_096; // 516
const NESTED_MAX: u64 = 1_000; // modules and components inside a component

/// Checks a module or component and reports what is in it.
pub(crate) fn check(kind: Kind, bytes: &[u8]) -> Result<Survey, Refusal> {
    bounded(kind, "bytes", bytes.len() as u64, WASM_MAX_BYTES).map_err(|_| Refusal::TooLarge {
        kind,
        size: bytes.len() as u64,
        limit: WASM_MAX_BYTES,
    })?;
    let mut reader = Reader {
        kind,
        survey: Survey::default(),
        entry: false,
        clues: Clues::default(),
        depth: 0,
        nested: 0,
    };
    reader.read(bytes)?;
    Validator::new_with_features(proposals::offered())
        .validate_all(bytes)
        .map_err(|error| invalid(kind, bytes, &error))?;
    if !reader.entry {
        return Err(Refusal::NoEntry {
            kind,
            export: match kind {
                Kind::Component => "wasi:cli/run@0.2",
                Kind::Module | Kind::Script => "_start",
            },
            fix: fix::entry(kind, reader.clues),
        });
    }
    Ok(reader.survey)
}

fn invalid(kind: Kind, bytes: &[u8], error: &wasmparser::BinaryReaderError) -> Refusal {
    match proposals::missing(bytes) {
        Some((proposal, error)) => Refusal::Proposal {
            kind,
            proposal,
            reason: one_line(&error.to_string()),
        },
        None => Refusal::Malformed {
            kind,
            reason: one_line(&error.to_string()),
        },
    }
}

fn bounded(kind: Kind, what: &'static str, count: u64, limit: u64) -> Result<(), Refusal> {
    if count <= limit {
        return Ok(());
    }
    Err(Refusal::TooMany {
        kind,
        what,
        count,
        limit,
    })
}

/// Walks through the sections once.
struct Reader {
    kind: Kind,
    survey: Survey,
    entry: bool,
    clues: Clues,
    depth: u32,
    nested: u64,
}

impl Reader {
    fn read(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(|error| invalid(self.kind, bytes, &error))?;
            self.section(payload).map_err(|error| match error {
                ReadError::Refused(refusal) => refusal,
                ReadError::Unreadable(error) => invalid(self.kind, bytes, &error),
            })?;
        }
        Ok(())
    }

    fn section(&mut self, payload: Payload<'_>) -> Result<(), ReadError> {
        let kind = self.kind;
        match payload {
            Payload::ImportSection(section) if self.depth == 0 => {
                let mut refused: Option<(Strength, &str, &str)> = None;
                for import in section.into_imports() {
                    let import = import?;
                    if self.import(import.module, import.name, import.ty) {
                        continue;
                    }
                    // The one that shows most of where the module is from, the first of
                    // equals: what to do follows from it.
                    let strength = fix::strength(import.module, import.name);
                    if refused.is_none_or(|(most, ..)| strength > most) {
                        refused = Some((strength, import.module, import.name));
                    }
                }
                if let Some((_, module, name)) = refused {
                    return Err(self.not_offered(&format!("{module}::{name}")).into());
                }
            }
            Payload::ComponentImportSection(section) if self.depth == 0 => {
                for import in section {
                    self.interface(import?.name.name)?;
                }
            }
            Payload::ExportSection(section) => {
                bounded(kind, "exports", section.count().into(), EXPORTS_MAX)?;
                if self.depth == 0 {
                    for export in section {
                        self.export(export?.name);
                    }
                }
            }
            Payload::ComponentExportSection(section) if self.depth == 0 => {
                for export in section {
                    self.interface_out(export?.name.name);
                }
            }
            Payload::CustomSection(section) if self.depth == 0 => {
                let name = section.name();
                self.clues.object |= name == "linking";
                self.clues.core |= name.starts_with("component-type");
            }
            Payload::FunctionSection(section) => {
                self.survey.functions += u64::from(section.count());
                bounded(kind, "functions", self.survey.functions, FUNCTIONS_MAX)?;
            }
            Payload::CodeSectionEntry(body) => {
                let range = body.range();
                bounded(
                    kind,
                    "bytes in one function",
                    (range.end - range.start) as u64,
                    BODY_MAX_BYTES,
                )?;
                let mut locals = 0_u64;
                for declared in body.get_locals_reader()? {
                    locals += u64::from(declared?.0);
                }
                bounded(kind, "locals in one function", locals, LOCALS_MAX)?;
            }
            Payload::DataSection(section) => {
                bounded(
                    kind,
                    "data segments",
                    section.count().into(),
                    DATA_SEGMENTS_MAX,
                )?;
            }
            Payload::TableSection(section) => {
                for table in section {
                    bounded(kind, "table elements", table?.ty.initial, ELEMENTS_MAX)?;
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    bounded(
                        kind,
                        "initial memory pages",
                        memory?.initial,
                        MEMORY_PAGES_MAX,
                    )?;
                }
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                self.depth += 1;
                self.nested += 1;
                bounded(kind, "nested modules", self.nested, NESTED_MAX)?;
            }
            Payload::End(_) => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        Ok(())
    }

    fn export(&mut self, name: &str) {
        self.entry |= name == "_start";
        self.clues.reactor |= name == "_initialize";
        self.clues.core |= name == "cabi_realloc" || name.starts_with("cm32p2");
    }

    fn interface_out(&mut self, name: &str) {
        self.entry |= name.starts_with("wasi:cli/run@0.2.");
        self.clues.wasi_0_3 |= name.starts_with("wasi:cli/run@0.3");
        self.clues.http |= name.starts_with("wasi:http/incoming-handler@");
    }

    /// Notes an import; `false` if it is not offered.
    fn import(&mut self, module: &str, name: &str, ty: TypeRef) -> bool {
        let is_function = matches!(ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
        if !is_function || !module_may_import(module, name) {
            return false;
        }
        self.survey.uses_files |= is_about_files(name);
        self.clues.wasi = true;
        self.survey.imports.push(format!("{module}::{name}"));
        true
    }

    fn interface(&mut self, name: &str) -> Result<(), Refusal> {
        if !component_may_import(name) {
            return Err(self.not_offered(name));
        }
        self.survey.uses_files |= name.starts_with("wasi:filesystem/");
        self.survey.imports.push(name.to_owned());
        Ok(())
    }

    fn not_offered(&self, import: &str) -> Refusal {
        Refusal::Import {
            kind: self.kind,
            import: quoted(import, 200),
        }
    }
}

/// Why reading stopped.
enum ReadError {
    Refused(Refusal),
    Unreadable(wasmparser::BinaryReaderError),
}

impl From<Refusal> for ReadError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<wasmparser::BinaryReaderError> for ReadError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Unreadable(error)
    }
}
