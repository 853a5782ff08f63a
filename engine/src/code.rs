//! Compiled code: mapped from the cache, or loaded as it comes from the compiler.
//!
//! This is the only place that turns bytes into native code. It compiles nothing itself.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use tenterhook_admission::Kind;
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::cache::Cache;
use crate::digest::Digest;

/// Native code of a program, loaded but not linked yet.
pub(crate) enum Loaded {
    /// A core module.
    Module(Module),
    /// A component, and the file that it is mapped from, if any: as long as that is open,
    /// the code counts as in use.
    Component(Component, Option<File>),
}

/// Maps a program's code from the cache, if it is there and its seal is valid.
pub(crate) fn cached(wasm: &Engine, cache: &Cache, kind: Kind, digest: Digest) -> Option<Loaded> {
    let file = cache.find(kind, digest)?;
    match map(wasm, kind, file) {
        Ok(loaded) => Some(loaded),
        Err(error) => {
            cache.discard(digest, &format_args!("it cannot be mapped: {error:#}"));
            None
        }
    }
}

/// Stores the code that the compiler produced and loads it: from the file if it could be
/// stored, so that its pages are shared, and otherwise from memory.
pub(crate) fn fresh(
    wasm: &Engine,
    cache: &Cache,
    kind: Kind,
    digest: Digest,
    code: &[u8],
) -> wasmtime::Result<Loaded> {
    match cache.keep(kind, digest, code) {
        Some(file) => map(wasm, kind, file),
        None => copy(wasm, kind, code),
    }
}

#[expect(
    unsafe_code,
    reason = "the cache returns nothing but code of our own compiler, whose seal is valid"
)]
fn map(wasm: &Engine, kind: Kind, file: File) -> wasmtime::Result<Loaded> {
    if kind != Kind::Component {
        // SAFETY: this very file was checked or written by the cache, in a folder that
        // no other user can write to, and is never changed.
        let module = unsafe { Module::deserialize_open_file(wasm, file)? };
        return Ok(Loaded::Module(module));
    }
    // There is no such function for a component. This name leads to the open file, and
    // not to what currently has its name in the folder.
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    if !Path::new(&name).exists() {
        // A system without /proc: the pages are not shared.
        let mut code = Vec::new();
        (&file).read_to_end(&mut code)?;
        return copy(wasm, kind, &code);
    }
    // SAFETY: as above.
    let component = unsafe { Component::deserialize_file(wasm, name)? };
    Ok(Loaded::Component(component, Some(file)))
}

#[expect(
    unsafe_code,
    reason = "the code comes from our own compiler, in this process or at build time"
)]
fn copy(wasm: &Engine, kind: Kind, code: &[u8]) -> wasmtime::Result<Loaded> {
    // SAFETY: `code` comes from our own compiler, see the callers.
    unsafe {
        Ok(match kind {
            Kind::Component => Loaded::Component(Component::deserialize(wasm, code)?, None),
            Kind::Module | Kind::Script => Loaded::Module(Module::deserialize(wasm, code)?),
        })
    }
}
