//! What the host offers to guests: one linker for each kind of program.

mod component;
mod preview1;
mod shell;

use wasmtime::component::Linker as ComponentLinker;
use wasmtime::{Engine, Linker};

pub(crate) use self::component::{Opened, RequestMemory, Timers};
use crate::error::Error;
use crate::sandbox::guest::Guest;

/// The most bytes that one call may make the host copy, paths and buffers together.
pub(crate) const CALL_COPY_MAX_BYTES: usize = 16 << 20;

/// The imports that programs may have, ready to be linked. Never cloned: two copies of a
/// linker once shared state that they must not share.
pub(crate) struct Linkers {
    pub(crate) module: Linker<Guest>,
    pub(crate) component: ComponentLinker<Guest>,
    pub(crate) shell: Linker<Guest>,
}

impl Linkers {
    /// Builds all three.
    pub(crate) fn new(wasm: &Engine) -> Result<Self, Error> {
        let build = || -> wasmtime::Result<Self> {
            Ok(Self {
                module: preview1::linker(wasm)?,
                component: component::linker(wasm)?,
                shell: shell::linker(wasm)?,
            })
        };
        build().map_err(|source| Error::Start { source })
    }
}
