//! From checked bytes to compiled code, through the cache.

use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::cache::Cache;
use crate::digest::Digest;
use crate::error::Error;
use crate::kind::Kind;
use crate::refusal::Refusal;

/// Compiles a core module, or maps what was compiled before.
pub(crate) fn module(
    wasm: &Engine,
    cache: &Cache,
    digest: Digest,
    bytes: &[u8],
) -> Result<Module, Error> {
    if let Some(module) = cached_module(wasm, cache, digest) {
        return Ok(module);
    }
    let code = wasm
        .precompile_module(bytes)
        .map_err(|error| not_compiled(Kind::Module, &error))?;
    load_module(wasm, cache, digest, &code).map_err(|source| Error::Prepare { digest, source })
}

/// Compiles a component, or maps what was compiled before.
pub(crate) fn component(
    wasm: &Engine,
    cache: &Cache,
    digest: Digest,
    bytes: &[u8],
) -> Result<Component, Error> {
    if let Some(component) = cached_component(wasm, cache, digest) {
        return Ok(component);
    }
    let code = wasm
        .precompile_component(bytes)
        .map_err(|error| not_compiled(Kind::Component, &error))?;
    load_component(wasm, cache, digest, &code).map_err(|source| Error::Prepare { digest, source })
}

fn not_compiled(kind: Kind, error: &wasmtime::Error) -> Error {
    Error::from(Refusal::Compile {
        kind,
        reason: error.root_cause().to_string(),
    })
}

/// Maps a module from the cache. Code that does not fit this build is as good
/// as none.
#[expect(
    unsafe_code,
    reason = "the cache folder is private: only our own compiler's code lies in it"
)]
pub(crate) fn cached_module(wasm: &Engine, cache: &Cache, digest: Digest) -> Option<Module> {
    let file = cache.file(digest).filter(|file| file.exists())?;
    // SAFETY: files in the cache were written by `Cache::keep` with what the
    // compiler gave us, complete before they had their name, and never changed.
    unsafe { Module::deserialize_file(wasm, file) }.ok()
}

#[expect(
    unsafe_code,
    reason = "the cache folder is private: only our own compiler's code lies in it"
)]
fn cached_component(wasm: &Engine, cache: &Cache, digest: Digest) -> Option<Component> {
    let file = cache.file(digest).filter(|file| file.exists())?;
    // SAFETY: as above.
    unsafe { Component::deserialize_file(wasm, file) }.ok()
}

/// Keeps the code and loads it; from the file if it could be kept, so that its
/// pages are shared, and otherwise from memory.
#[expect(
    unsafe_code,
    reason = "the code comes from our own compiler, in this process or at build time"
)]
pub(crate) fn load_module(
    wasm: &Engine,
    cache: &Cache,
    digest: Digest,
    code: &[u8],
) -> wasmtime::Result<Module> {
    // SAFETY: `code` was made by our own compiler, see the callers.
    match cache.keep(digest, code) {
        Some(file) => unsafe { Module::deserialize_file(wasm, file) },
        None => unsafe { Module::deserialize(wasm, code) },
    }
}

#[expect(
    unsafe_code,
    reason = "the code comes from our own compiler, in this process"
)]
fn load_component(
    wasm: &Engine,
    cache: &Cache,
    digest: Digest,
    code: &[u8],
) -> wasmtime::Result<Component> {
    // SAFETY: `code` was made by our own compiler a moment ago.
    match cache.keep(digest, code) {
        Some(file) => unsafe { Component::deserialize_file(wasm, file) },
        None => unsafe { Component::deserialize(wasm, code) },
    }
}
