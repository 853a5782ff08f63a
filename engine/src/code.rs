//! Compiled code: mapped from the cache, or loaded as it comes from the compiler.
//!
//! The only place that turns bytes into native code.

use tenterhook_admission::Kind;
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::cache::Cache;
use crate::compile::precompile;
use crate::digest::Digest;

/// Loads a module: as it comes from the compiler, or else from the cache. Code
/// in the cache that does not fit this build is compiled anew.
pub(crate) fn module(
    wasm: &Engine,
    cache: &Cache,
    digest: Digest,
    fresh: Option<Vec<u8>>,
    bytes: &[u8],
) -> wasmtime::Result<Module> {
    if let Some(code) = fresh {
        return load_module(wasm, cache, digest, &code);
    }
    match cached_module(wasm, cache, digest) {
        Some(module) => Ok(module),
        None => load_module(wasm, cache, digest, &compile(wasm, Kind::Module, bytes)?),
    }
}

/// Loads a component, as [`module`] does a module.
pub(crate) fn component(
    wasm: &Engine,
    cache: &Cache,
    digest: Digest,
    fresh: Option<Vec<u8>>,
    bytes: &[u8],
) -> wasmtime::Result<Component> {
    if let Some(code) = fresh {
        return load_component(wasm, cache, digest, &code);
    }
    match cached_component(wasm, cache, digest) {
        Some(component) => Ok(component),
        None => load_component(wasm, cache, digest, &compile(wasm, Kind::Component, bytes)?),
    }
}

fn compile(wasm: &Engine, kind: Kind, bytes: &[u8]) -> wasmtime::Result<Vec<u8>> {
    precompile(wasm, kind, bytes).map_err(wasmtime::Error::msg)
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
