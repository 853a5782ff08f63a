//! The WebAssembly runtime together with the clock that makes deadlines real.
//!
//! Interruption is always on and the ticker lives as long as the runtime, so a
//! deadline that never fires cannot be built.

pub(crate) mod config;
mod guest_threads;
mod loading_threads;
mod ticker;

use std::sync::Arc;

use wasmtime::{Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

pub(crate) use self::guest_threads::GuestThreads;
pub(crate) use self::loading_threads::LoadingThreads;
use self::ticker::Ticker;
use crate::error::Error;
use crate::limits::Limits;
use crate::lockdown::GuestLock;

/// Elements that all tables of one program may hold. The largest real module
/// that is known to us (a compiler) has 37,270.
pub(crate) const TABLE_ELEMENTS: usize = 131_072;

/// Memories, tables and core instances that one component may consist of.
const COMPONENT_PARTS: u32 = 64;

/// Bytes of a slot's memory that stay mapped between two runs. The shell touches
/// 2.4 MiB at its start; pages below this line are wiped instead of unmapped.
const RESIDENT_BYTES: usize = 4 << 20;

/// Bytes of a slot's stack that stay mapped between two runs, and are wiped. A
/// small module touches less, and wiping 64 KiB took a tenth of its whole run.
const STACK_RESIDENT_BYTES: usize = 16 << 10;

/// The WebAssembly runtime with its clock.
pub(crate) struct Runtime {
    pub(crate) wasm: wasmtime::Engine,
    _ticker: Ticker,
}

impl Runtime {
    /// Starts the runtime with room for `sandboxes` runs at one time.
    pub(crate) fn start(sandboxes: u32, lock: &Arc<GuestLock>) -> Result<Self, Error> {
        let mut config = config::compiler_config();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(sandboxes)));
        let wasm = wasmtime::Engine::new(&config).map_err(|source| Error::Start { source })?;
        let ticker =
            Ticker::start(&wasm, Arc::clone(lock)).map_err(|source| Error::Threads { source })?;
        Ok(Self {
            wasm,
            _ticker: ticker,
        })
    }
}

/// Slots for `sandboxes` runs. A component may take several core instances, so
/// there are more of those than of stacks; the stacks bound the runs.
fn pool(sandboxes: u32) -> PoolingAllocationConfig {
    let memory = usize::try_from(Limits::ceiling().memory).expect("512 MiB fit an address");
    let parts = sandboxes.saturating_add(COMPONENT_PARTS);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(parts.saturating_mul(4))
        .total_component_instances(sandboxes)
        .total_memories(parts)
        .total_tables(parts.saturating_mul(4))
        .total_stacks(sandboxes)
        .max_memory_size(memory)
        .table_elements(TABLE_ELEMENTS)
        .max_memories_per_module(1)
        .max_tables_per_module(8)
        .max_core_instance_size(4 << 20)
        .max_component_instance_size(8 << 20)
        .max_core_instances_per_component(COMPONENT_PARTS)
        .max_memories_per_component(16)
        .max_tables_per_component(COMPONENT_PARTS)
        .max_unused_warm_slots(sandboxes)
        .linear_memory_keep_resident(RESIDENT_BYTES)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(STACK_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto);
    pool
}
