//! How an engine is set up.

use std::path::PathBuf;

use tenterhook_ledger::Ledger;

use crate::cache::CodeCache;
use crate::compile::CompileLimits;
use crate::lockdown::Lockdown;

/// How an engine is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where compiled code is kept. `None` keeps nothing.
    pub cache: Option<CodeCache>,
    /// Folder in which scratch folders are made where none can be mounted.
    pub scratch: PathBuf,
    /// Runs that may be in progress at one time, those that sleep among them.
    /// Default: 100.
    pub sandboxes: u32,
    /// Threads that run guests. Default: the number of cores.
    pub threads: usize,
    /// A program and its arguments that call [`compile_worker`](crate::compile_worker).
    /// With them a compilation that takes too much dies in a process of its own.
    /// Default: none; it happens in this process, unbounded.
    pub compiler: Option<Vec<PathBuf>>,
    /// What such a process may take for one program.
    pub compile_limits: CompileLimits,
    /// Whether threads that run guests, and that process, give up what they do
    /// not need. Default: [`Lockdown::On`].
    pub lockdown: Lockdown,
    /// Owns what tenants share; the engine tells it how much there is of its pool of
    /// instances. Default: one without other bounds.
    pub ledger: Ledger,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cache: None,
            scratch: std::env::temp_dir(),
            sandboxes: 100,
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            compiler: None,
            compile_limits: CompileLimits::default(),
            lockdown: Lockdown::On,
            ledger: Ledger::default(),
        }
    }
}
