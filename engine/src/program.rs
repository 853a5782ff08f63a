//! An accepted program: validated, compiled and linked once, run many times.

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use tenterhook_admission::Kind;
use tenterhook_ledger::{Amounts, Resource};
use wasmtime::{InstancePre, ResourcesRequired};
use wasmtime_wasi::p2::bindings::CommandPre;

use crate::digest::Digest;
use crate::runtime::{COMPONENT_MEMORIES, COMPONENT_PARTS};
use crate::sandbox::guest::Guest;

/// A program that was accepted and is ready to run. Cheap to clone.
#[derive(Clone)]
pub struct Program {
    pub(crate) inner: Arc<ProgramInner>,
}

/// What all clones of a program share.
pub(crate) struct ProgramInner {
    pub(crate) digest: Digest,
    pub(crate) code: Code,
    /// Whether it imports anything that works on files. If not, it gets none, and its runs
    /// need no scratch folder.
    pub(crate) uses_files: bool,
    /// What one instance of it takes from the instance pool.
    pub(crate) parts: Amounts,
    /// The file that the code is mapped from: as long as it is open, the code counts as
    /// in use.
    pub(crate) _mapped: Option<File>,
}

/// Compiled and linked code, ready to be instantiated.
pub(crate) enum Code {
    /// A core module.
    Module(InstancePre<Guest>),
    /// A component.
    Component(CommandPre<Guest>),
    /// A script, and the shell that runs it. The shell keeps files in its own
    /// memory, so a script needs no scratch folder.
    Script {
        shell: InstancePre<Guest>,
        text: Bytes,
    },
}

impl Program {
    pub(crate) fn new(digest: Digest, code: Code, uses_files: bool, mapped: Option<File>) -> Self {
        Self {
            inner: Arc::new(ProgramInner {
                digest,
                parts: parts(&code),
                code,
                uses_files,
                _mapped: mapped,
            }),
        }
    }

    /// Returns what kind of program it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.inner.code {
            Code::Module(_) => Kind::Module,
            Code::Component(_) => Kind::Component,
            Code::Script { .. } => Kind::Script,
        }
    }

    /// Returns the digest of the uploaded bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.inner.digest
    }
}

/// Returns what one instance of this code takes from the instance pool: what it declares.
/// The number of core instances of a component is not available, so it counts as the most
/// that one may have; they are only counted, and there are enough for that.
fn parts(code: &Code) -> Amounts {
    let (required, instances) = match code {
        Code::Module(module) | Code::Script { shell: module, .. } => {
            (Some(module.module().resources_required()), 1)
        }
        Code::Component(component) => {
            let component = component.instance_pre().component();
            (component.resources_required(), COMPONENT_PARTS)
        }
    };
    let (memories, tables) = match required {
        Some(ResourcesRequired {
            num_memories,
            num_tables,
            ..
        }) => (num_memories, num_tables),
        // It imports core modules, whose parts are not known in advance.
        None => (COMPONENT_MEMORIES, COMPONENT_PARTS),
    };
    Amounts::of(Resource::Stacks, 1)
        .and(Resource::Memories, memories.into())
        .and(Resource::Tables, tables.into())
        .and(Resource::CoreInstances, instances.into())
}
