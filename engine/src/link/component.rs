//! What components may import: WASI 0.2 without sockets that connect anywhere, and without
//! HTTP that is sent.

mod clock;
mod files;
mod http;
mod opened;
mod stream;

use wasmtime::Engine;
use wasmtime::component::Linker;
use wasmtime_wasi::p2::add_to_linker_async;

pub(crate) use self::clock::Timers;
pub(crate) use self::http::RequestMemory;
pub(crate) use self::opened::Opened;
use crate::sandbox::guest::Guest;

/// Builds the linker for components.
pub(super) fn linker(wasm: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(wasm);
    add_to_linker_async(&mut linker)?;
    clock::add(&mut linker)?;
    files::add(&mut linker)?;
    http::add(&mut linker)?;
    Ok(linker)
}
