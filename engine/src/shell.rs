//! The shell that runs scripts: compiled when the engine was built, mapped here.
//!
//! Its code is never in the code cache: it is a part of this program's own file, as
//! trustworthy as the program itself, and mapped from there.

pub(crate) mod image;

use std::sync::OnceLock;

use wasmtime::{Engine, InstancePre};

use crate::digest::Digest;
use crate::error::Error;
use crate::link::Linkers;
use crate::sandbox::guest::Guest;

/// The digest of the shell's machine code, as the build script computed it, in
/// hexadecimal.
pub(crate) const CODE_DIGEST: &str = include_str!(concat!(env!("OUT_DIR"), "/shell.digest"));

/// The shell, loaded when the first script needs it.
#[derive(Default)]
pub(crate) struct Shell(OnceLock<InstancePre<Guest>>);

impl Shell {
    /// Returns the shell, ready to be instantiated.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use tenterhook_contract::shell::{FUNCTIONS, MODULE, RUN};
    use wasmtime::ExternType;

    use super::*;
    use crate::runtime::config::compiler_config;

    /// The shell's source has the names as literals, since an attribute takes nothing
    /// else; what was built from it is compared here.
    #[test]
    fn the_shell_imports_what_the_contract_lists_and_the_engine_defines_all_of_it() {
        let mut config = compiler_config();
        if image::Publisher::IS_FOR_US {
            config.with_custom_code_memory(Some(Arc::new(image::Publisher)));
        }
        let wasm = Engine::new(&config).unwrap();
        let shell = image::load(&wasm).unwrap();
        let (own, others): (Vec<_>, Vec<_>) = shell
            .imports()
            .partition(|import| import.module() == MODULE);
        let own: BTreeSet<_> = own.iter().map(|import| import.name()).collect();
        assert_eq!(own, BTreeSet::from(FUNCTIONS));
        assert!(
            others
                .iter()
                .all(|import| import.module() == "wasi_snapshot_preview1")
        );
        let Some(ExternType::Func(run)) = shell.get_export(RUN) else {
            panic!("the shell exports no function `{RUN}`");
        };
        assert_eq!((run.params().len(), run.results().len()), (0, 1));
        let linkers = Linkers::new(&wasm).unwrap();
        linkers.shell.instantiate_pre(&shell).unwrap();
    }
}
