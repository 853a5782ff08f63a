//! From bytes to a program that can be run: checked, compiled, cached and linked.

use std::fs::File;

use bytes::Bytes;
use tenterhook_admission::{Kind, Refusal, Survey, one_line};
use tenterhook_ledger::Holder;
use wasmtime::ExternType;
use wasmtime_wasi::p2::bindings::CommandPre;

use super::{Engine, EngineInner};
use crate::code::{self, Loaded};
use crate::digest::Digest;
use crate::error::Error;
use crate::program::{Code, Program};

/// The entry point of a command: a function without parameters or results.
const ENTRY: &str = "_start";

impl Engine {
    /// Accepts `bytes` as a program of this kind: checks, compiles and links it.
    /// The first call must not come from the engine's own threads: it starts the threads
    /// that load programs, which inherit the caller's restrictions.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] when the bytes are not acceptable; other variants when
    /// the host could not do its part.
    pub async fn load(&self, kind: Kind, bytes: &[u8]) -> Result<Program, Error> {
        check_size(kind, bytes)?;
        self.load_for(Holder::Operator, kind, Bytes::copy_from_slice(bytes))
            .await
    }

    /// Does the same for one of several accounts: a compilation waits for this account's
    /// turn, however much of others' is waiting already.
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load).
    pub async fn load_for(
        &self,
        holder: Holder,
        kind: Kind,
        bytes: Bytes,
    ) -> Result<Program, Error> {
        check_size(kind, &bytes)?;
        match kind {
            Kind::Script => self.load_script(bytes).await,
            Kind::Module | Kind::Component => self.load_wasm(holder, kind, bytes).await,
        }
    }

    /// Checks `bytes` as [`load`](Self::load) does before it compiles, and reports what is
    /// in them. A script has no imports.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] that an upload would get.
    pub fn survey(kind: Kind, bytes: &[u8]) -> Result<Survey, Refusal> {
        tenterhook_admission::survey(kind, bytes)
    }

    async fn load_script(&self, text: Bytes) -> Result<Program, Error> {
        Self::survey(Kind::Script, &text)?;
        let digest = Digest::of(&text);
        let engine = self.clone();
        let shell = self
            .inner
            .loading
            .block(digest, move || {
                let EngineInner {
                    runtime,
                    linkers,
                    shell,
                    ..
                } = &*engine.inner;
                shell.get(&runtime.wasm, linkers)
            })
            .await?;
        Ok(Program::new(
            digest,
            Code::Script { shell, text },
            false,
            None,
        ))
    }

    async fn load_wasm(&self, holder: Holder, kind: Kind, bytes: Bytes) -> Result<Program, Error> {
        let digest = Digest::of(&bytes);
        let checked = bytes.clone();
        let survey = self
            .without_files(digest, move || Ok(Self::survey(kind, &checked)?))
            .await?;
        let engine = self.clone();
        let EngineInner {
            runtime,
            compiler,
            threads,
            loading,
            ..
        } = &*self.inner;
        let cached = loading
            .block(digest, move || {
                let EngineInner { runtime, cache, .. } = &*engine.inner;
                Ok(code::cached(&runtime.wasm, cache, kind, digest))
            })
            .await?;
        let engine = self.clone();
        let (code, mapped) = match cached {
            Some(loaded) => {
                loading
                    .block(digest, move || engine.link(kind, loaded))
                    .await?
            }
            None => {
                let fresh = compiler
                    .compile(holder, runtime, threads, loading, kind, bytes)
                    .await?;
                let load = move || {
                    let loaded = engine.load_fresh(kind, digest, &fresh)?;
                    engine.link(kind, loaded)
                };
                loading.block(digest, load).await?
            }
        };
        Ok(Program::new(digest, code, survey.uses_files, mapped))
    }

    /// Caches and loads what the compiler produced.
    fn load_fresh(&self, kind: Kind, digest: Digest, fresh: &[u8]) -> Result<Loaded, Error> {
        let EngineInner { runtime, cache, .. } = &*self.inner;
        // What can still fail here, apart from the disk, is a program with parts that no
        // sandbox has room for.
        code::fresh(&runtime.wasm, cache, kind, digest, fresh).map_err(|source| match source
            .downcast_ref::<std::io::Error>(
        ) {
            Some(_) => Error::Prepare { digest, source },
            None => Error::from(Refusal::Compile {
                kind,
                reason: one_line(&source.root_cause().to_string()),
            }),
        })
    }

    /// Resolves the imports of loaded code.
    fn link(&self, kind: Kind, loaded: Loaded) -> Result<(Code, Option<File>), Error> {
        let linkers = &self.inner.linkers;
        let not_linked = |error: wasmtime::Error| {
            let reason = one_line(&format!("{error:#}"));
            Error::from(Refusal::Link { kind, reason })
        };
        let module = match loaded {
            Loaded::Module(module) => module,
            Loaded::Component(component, mapped) => {
                let linked = linkers
                    .component
                    .instantiate_pre(&component)
                    .map_err(not_linked)?;
                let command = CommandPre::new(linked).map_err(not_linked)?;
                return Ok((Code::Component(command), mapped));
            }
        };
        let linked = linkers
            .module
            .instantiate_pre(&module)
            .map_err(not_linked)?;
        match module.get_export(ENTRY) {
            Some(ExternType::Func(entry))
                if entry.params().len() == 0 && entry.results().len() == 0 =>
            {
                Ok((Code::Module(linked), None))
            }
            _ => Err(Refusal::NoEntry {
                kind,
                export: ENTRY,
                fix: "it must be a function without parameters or results",
            }
            .into()),
        }
    }

    /// Does blocking work on hostile bytes, on a thread that is locked down like those of
    /// guests.
    async fn without_files<T: Send + 'static>(
        &self,
        digest: Digest,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let done = self.threads().spawn_blocking(work).await;
        done.unwrap_or(Err(Error::Panicked { digest }))
    }
}

/// Refuses what is too large before the bytes are read or copied.
fn check_size(kind: Kind, bytes: &[u8]) -> Result<(), Refusal> {
    let limit = match kind {
        Kind::Script => tenterhook_admission::SCRIPT_MAX_BYTES,
        Kind::Module | Kind::Component => tenterhook_admission::WASM_MAX_BYTES,
    };
    let size = bytes.len() as u64;
    if size <= limit {
        return Ok(());
    }
    match kind {
        // Its beginning may show that it is not a script at all.
        Kind::Script => tenterhook_admission::survey(kind, bytes).map(|_| ()),
        Kind::Module | Kind::Component => Err(Refusal::TooLarge { kind, size, limit }),
    }
}
