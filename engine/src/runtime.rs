//! The WebAssembly runtime together with the ticker that enforces deadlines.
//!
//! Interruption is always on and the ticker lives as long as the runtime, so a deadline
//! that never fires is impossible to construct.

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
use crate::lockdown::GuestLockdown;
use crate::shell::image::Publisher;
use crate::stack::GuestStack;

/// The most elements that a table may have. The largest real module that we know (a
/// compiler) has 37,270.
pub(crate) const TABLE_ELEMENTS: usize = 131_072;

/// The most tables, and the most core instances, that one component may have.
pub(crate) const COMPONENT_PARTS: u32 = 64;

/// The most memories that one component may have.
pub(crate) const COMPONENT_MEMORIES: u32 = 16;

/// Slots that keep the memory of their last program for its next run, before one of them
/// is reused for another: as many as run at a time by default.
const WARM_SLOTS: u32 = 100;

/// Bytes of a slot's memory that stay mapped between two runs. The shell touches 2.4 MiB at
/// its start; pages below this line are zeroed instead of unmapped.
const RESIDENT_BYTES: usize = 4 << 20;

/// Bytes of a slot's stack that stay mapped between two runs, and are zeroed. A small
/// module touches less, and zeroing 64 KiB took a tenth of its whole run.
const STACK_RESIDENT_BYTES: usize = 16 << 10;

/// The WebAssembly runtime with its ticker.
pub(crate) struct Runtime {
    pub(crate) wasm: wasmtime::Engine,
    ticker: Ticker,
}

impl Runtime {
    /// Returns the counter of the epoch's ticks.
    pub(crate) fn ticks(&self) -> Arc<AtomicU64> {
        self.ticker.ticks()
    }

    /// Starts the runtime with room for `sandboxes` runs at a time.
    pub(crate) fn start(
        sandboxes: u32,
        stack: GuestStack,
        lockdown: &Arc<GuestLockdown>,
    ) -> Result<Self, Error> {
        let mut config = config::compiler_config();
        stack.configure(&mut config);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(sandboxes)));
        if Publisher::IS_FOR_US {
            config.with_custom_code_memory(Some(Arc::new(Publisher)));
        }
        let wasm = wasmtime::Engine::new(&config).map_err(|source| Error::Start { source })?;
        let ticker = Ticker::start(&wasm, Arc::clone(lockdown))
            .map_err(|source| Error::Threads { source })?;
        Ok(Self { wasm, ticker })
    }
}

/// The parts of the pool, with room for `sandboxes` runs and one more component of any
/// shape.
///
/// Each memory reserves 4 GiB of address space, each table 1 MiB and each stack 2 MiB, or more
/// if guests may use more than by default. None of it is committed before a run uses it. Core
/// instances are only counted, so there are as many as all runs together may need.
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

/// Registers with a ledger what the pool for `sandboxes` runs has. The floor has room for
/// one typical program: a component of a few modules, which counts as the most core
/// instances that one may have.
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

/// Returns a pool with slots for `sandboxes` runs.
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
