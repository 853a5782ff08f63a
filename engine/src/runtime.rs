//! The WebAssembly runtime together with the clock that makes deadlines real.
//!
//! Interruption is always on and the ticker lives as long as the runtime, so a
//! deadline that never fires cannot be built.

pub(crate) mod config;
mod guest_threads;
mod loading_threads;
mod ticker;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tenterhook_ledger::{Capacity, Ledger, Resource};
use wasmtime::{Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

pub(crate) use self::guest_threads::GuestThreads;
pub(crate) use self::loading_threads::LoadingThreads;
pub(crate) use self::ticker::TICK;
use self::ticker::Ticker;
use crate::error::Error;
use crate::limits::Limits;
use crate::lockdown::GuestLock;
use crate::shell::image::Publisher;

/// Elements that all tables of one program may hold. The largest real module
/// that is known to us (a compiler) has 37,270.
pub(crate) const TABLE_ELEMENTS: usize = 131_072;

/// Tables and core instances that one component may consist of.
pub(crate) const COMPONENT_PARTS: u32 = 64;

/// Memories that one component may consist of.
pub(crate) const COMPONENT_MEMORIES: u32 = 16;

/// Slots that keep the memory of their last program, for when it runs again, before
/// one of them is taken for another: as many as run at one time by default, and some.
const WARM_SLOTS: u32 = 100;

/// Bytes of a slot's memory that stay mapped between two runs. The shell touches
/// 2.4 MiB at its start; pages below this line are wiped instead of unmapped.
const RESIDENT_BYTES: usize = 4 << 20;

/// Bytes of a slot's stack that stay mapped between two runs, and are wiped. A
/// small module touches less, and wiping 64 KiB took a tenth of its whole run.
const STACK_RESIDENT_BYTES: usize = 16 << 10;

/// The WebAssembly runtime with its clock.
pub(crate) struct Runtime {
    pub(crate) wasm: wasmtime::Engine,
    ticker: Ticker,
}

impl Runtime {
    /// Counts the ticks of the epoch.
    pub(crate) fn ticks(&self) -> Arc<AtomicU64> {
        self.ticker.ticks()
    }

    /// Starts the runtime with room for `sandboxes` runs at one time.
    pub(crate) fn start(sandboxes: u32, lock: &Arc<GuestLock>) -> Result<Self, Error> {
        let mut config = config::compiler_config();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(sandboxes)));
        if Publisher::IS_FOR_US {
            config.with_custom_code_memory(Some(Arc::new(Publisher)));
        }
        let wasm = wasmtime::Engine::new(&config).map_err(|source| Error::Start { source })?;
        let ticker =
            Ticker::start(&wasm, Arc::clone(lock)).map_err(|source| Error::Threads { source })?;
        Ok(Self { wasm, ticker })
    }
}

/// The parts of the pool, with room for `sandboxes` runs and for one component beside
/// them, whatever that consists of.
///
/// Memories reserve 4 GiB of the address space each, tables and stacks 1 and 2 MiB, and
/// nothing of it is used before a run does. Core instances are only counted, so there
/// are as many as all runs together may want.
struct Parts {
    memories: u32,
    tables: u32,
    core_instances: u32,
}

impl Parts {
    fn for_sandboxes(sandboxes: u32) -> Self {
        let parts = sandboxes.saturating_add(COMPONENT_PARTS.saturating_mul(2));
        Self {
            memories: parts,
            tables: parts.saturating_mul(4),
            core_instances: parts.saturating_mul(COMPONENT_PARTS),
        }
    }
}

/// Tells a ledger how much there is of the pool for `sandboxes` runs. Who holds nothing
/// of it has room for one program as most are made: a component of a few modules, which
/// counts as many core instances as there may be of one.
pub(crate) fn provide(ledger: &Ledger, sandboxes: u32) {
    let parts = Parts::for_sandboxes(sandboxes);
    for (resource, total, floor) in [
        (Resource::Stacks, sandboxes, 1),
        (Resource::Memories, parts.memories, 2),
        (Resource::Tables, parts.tables, 8),
        (
            Resource::CoreInstances,
            parts.core_instances,
            COMPONENT_PARTS,
        ),
    ] {
        let capacity = Capacity::of(total.into()).with_floor(floor.into());
        ledger.provide(resource, capacity);
    }
}

/// Slots for `sandboxes` runs.
fn pool(sandboxes: u32) -> PoolingAllocationConfig {
    let memory = usize::try_from(Limits::ceiling().memory).expect("512 MiB fit an address");
    let parts = Parts::for_sandboxes(sandboxes);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(parts.core_instances)
        .total_component_instances(sandboxes)
        .total_memories(parts.memories)
        .total_tables(parts.tables)
        .total_stacks(sandboxes)
        .max_memory_size(memory)
        .table_elements(TABLE_ELEMENTS)
        .max_memories_per_module(1)
        .max_tables_per_module(8)
        .max_core_instance_size(4 << 20)
        .max_component_instance_size(8 << 20)
        .max_core_instances_per_component(COMPONENT_PARTS)
        .max_memories_per_component(COMPONENT_MEMORIES)
        .max_tables_per_component(COMPONENT_PARTS)
        .max_unused_warm_slots(sandboxes.min(WARM_SLOTS))
        .linear_memory_keep_resident(RESIDENT_BYTES)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(STACK_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto);
    pool
}
