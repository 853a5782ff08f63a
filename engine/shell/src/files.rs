//! The files of one run, held in the guest's own memory.
//!
//! Mode bits, times to the nanosecond, links, and a quota in bytes and inodes.
//! Nothing here reaches the host: the only way out is `/verdict.json`, which
//! the guest hands over at the end.

mod content;
mod device;
mod entries;
mod error;
mod execution;
mod interface;
mod layout;
mod node;
mod quota;
mod script;
mod tree;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tree::Tree;

pub use layout::{EVENT_FILE, HOME, VERDICT_FILE, WORK_DIR};
pub use quota::Quota;
pub use script::SCRIPTS;

/// A handle on the files of one run; clones share them.
#[derive(Clone, Debug)]
pub struct Files(Arc<Mutex<Tree>>);

impl Files {
    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
