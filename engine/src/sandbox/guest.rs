//! What the host holds for one guest while it runs.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{WasiCtxView, WasiView};

use super::clock::Clocks;
use super::memory::Memory;
use super::meter::{FilePrices, Meter};
use super::quota::Quota;
use super::verdict::VerdictFile;
use crate::gauge::Gauge;
use crate::link::Listing;

/// What the host holds for one guest: the data of its store.
pub(crate) struct Guest {
    /// Serves all versions of WASI: preview 1 is built on 0.2 upstream.
    pub(crate) wasi: WasiP1Ctx,
    pub(crate) memory: Memory,
    pub(crate) meter: Arc<Meter>,
    /// Shows others what was used so far.
    pub(crate) gauge: Option<Arc<Gauge>>,
    pub(crate) quota: Quota,
    /// What a module's calls on files cost.
    pub(crate) prices: FilePrices,
    /// The folder that a module is reading.
    pub(crate) listing: Option<Listing>,
    pub(crate) clocks: Clocks,
    /// The guest's memory, once there is an instance: looking it up by name at every call
    /// costs as much as a cheap call.
    pub(crate) linear: Option<wasmtime::Memory>,
    /// What the shell reads through its own imports; `None` for other guests.
    pub(crate) shell: Option<ShellInputs>,
    /// Whether it yielded at the last tick, and could resume at once.
    pub(crate) yielded: Arc<AtomicBool>,
}

/// What the shell guest is given and what it returns.
pub(crate) struct ShellInputs {
    pub(crate) script: Bytes,
    pub(crate) event: Bytes,
    pub(crate) stdin: Bytes,
    pub(crate) files: u64,
    pub(crate) inodes: u32,
    pub(crate) verdict: VerdictFile,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.ctx()
    }
}
