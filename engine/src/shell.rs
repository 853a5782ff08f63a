//! The shell that runs scripts: compiled when the engine was built, mapped here.

use std::sync::OnceLock;

use wasmtime::{Engine, InstancePre, Module};

use crate::cache::Cache;
use crate::code;
use crate::digest::Digest;
use crate::error::Error;
use crate::link::Linkers;
use crate::sandbox::guest::Guest;

/// The shell's machine code, made by the build script.
static CODE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shell.cwasm"));

/// The digest of that code, as the build script computed it, in hexadecimal.
const CODE_DIGEST: &str = include_str!(concat!(env!("OUT_DIR"), "/shell.digest"));

/// The shell, loaded when the first script needs it.
#[derive(Default)]
pub(crate) struct Shell(OnceLock<InstancePre<Guest>>);

impl Shell {
    /// The shell, ready to be instantiated.
    pub(crate) fn get(
        &self,
        wasm: &Engine,
        cache: &Cache,
        linkers: &Linkers,
    ) -> Result<InstancePre<Guest>, Error> {
        if let Some(shell) = self.0.get() {
            return Ok(shell.clone());
        }
        let digest: Digest = CODE_DIGEST
            .parse()
            .expect("the build script wrote a digest");
        let load = || -> wasmtime::Result<InstancePre<Guest>> {
            let module: Module = match code::cached_module(wasm, cache, digest) {
                Some(module) => module,
                None => code::load_module(wasm, cache, digest, CODE)?,
            };
            linkers.shell.instantiate_pre(&module)
        };
        let shell = load().map_err(|source| Error::Prepare { digest, source })?;
        Ok(self.0.get_or_init(|| shell).clone())
    }
}
