//! The shell that runs scripts: compiled when the engine was built, mapped here.
//!
//! Its code never lies in the code cache: it is a part of this program's own file,
//! as trustworthy as the program itself, and mapped from there.

pub(crate) mod image;

use std::sync::OnceLock;

use wasmtime::{Engine, InstancePre};

use crate::digest::Digest;
use crate::error::Error;
use crate::link::Linkers;
use crate::sandbox::guest::Guest;

/// The digest of the shell's machine code, as the build script computed it, in
/// hexadecimal.
const CODE_DIGEST: &str = include_str!(concat!(env!("OUT_DIR"), "/shell.digest"));

/// The shell, loaded when the first script needs it.
#[derive(Default)]
pub(crate) struct Shell(OnceLock<InstancePre<Guest>>);

impl Shell {
    /// The shell, ready to be instantiated.
    pub(crate) fn get(
        &self,
        wasm: &Engine,
        linkers: &Linkers,
    ) -> Result<InstancePre<Guest>, Error> {
        if let Some(shell) = self.0.get() {
            return Ok(shell.clone());
        }
        let digest: Digest = CODE_DIGEST
            .parse()
            .expect("the build script wrote a digest");
        let shell = image::load(wasm)
            .and_then(|module| linkers.shell.instantiate_pre(&module))
            .map_err(|source| Error::Prepare { digest, source })?;
        Ok(self.0.get_or_init(|| shell).clone())
    }
}
