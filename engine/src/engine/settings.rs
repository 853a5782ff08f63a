//! The settings of an engine.

use std::path::PathBuf;

use tenterhook_ledger::Ledger;

use crate::cache::CodeCache;
use crate::compile::CompileLimits;
use crate::lockdown::Lockdown;
use crate::stack::GuestStack;

/// The settings of an engine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where compiled code is cached. `None` disables the cache.
    pub cache: Option<CodeCache>,
    /// Runs that may be in progress at a time, including sleeping ones. Default: 100.
    pub sandboxes: u32,
    /// Threads that run guests. Default: the number of cores.
    pub threads: usize,
    /// The stack that each run may use. Default: 512 KiB.
    pub stack: GuestStack,
    /// A program and arguments that call [`compile_worker`](crate::compile_worker). With
    /// these, a compilation that takes too much dies in a process of its own. Default:
    /// none; compilation happens in this process, unbounded.
    pub compiler: Option<Vec<PathBuf>>,
    /// What such a process may take for one program.
    pub compile_limits: CompileLimits,
    /// Whether threads that run guests, and that process, drop the rights that they do not
    /// need. Default: [`Lockdown::On`].
    pub lockdown: Lockdown,
    /// Owns what tenants share; the engine registers the capacity of its instance pool
    /// there. Default: one without other bounds.
    pub ledger: Ledger,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cache: None,
            sandboxes: 100,
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            stack: GuestStack::default(),
            compiler: None,
            compile_limits: CompileLimits::default(),
            lockdown: Lockdown::On,
            ledger: Ledger::default(),
        }
    }
}
