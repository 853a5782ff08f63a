//! A program that was accepted: validated, compiled and linked once, run often.

use std::sync::Arc;

use bytes::Bytes;
use tenterhook_admission::Kind;
use wasmtime::InstancePre;
use wasmtime_wasi::p2::bindings::CommandPre;

use crate::digest::Digest;
use crate::sandbox::guest::Guest;

/// A program that was accepted and is ready to run. Cheap to clone.
#[derive(Clone)]
pub struct Program {
    pub(crate) inner: Arc<Inner>,
}

/// What all clones of a program share.
pub(crate) struct Inner {
    pub(crate) digest: Digest,
    pub(crate) code: Code,
    /// Whether it imports anything that works on files. One that does not gets
    /// none, and its runs are spared making a scratch folder.
    pub(crate) uses_files: bool,
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
    pub(crate) fn new(digest: Digest, code: Code, uses_files: bool) -> Self {
        Self {
            inner: Arc::new(Inner {
                digest,
                code,
                uses_files,
            }),
        }
    }

    /// What sort of program it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.inner.code {
            Code::Module(_) => Kind::Module,
            Code::Component(_) => Kind::Component,
            Code::Script { .. } => Kind::Script,
        }
    }

    /// The digest of the bytes that were uploaded.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.inner.digest
    }
}
