//! Scratch file systems made ahead of time, and taken apart behind the scenes.
//!
//! Making one costs several times as much as a whole run. A run that left its
//! folder untouched gives it back as it was; one that did not throws it away.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use parking_lot::Mutex;

use super::tree::Tree;
use crate::limits::Limits;

/// Folders that are kept ready.
const READY: usize = 32;

/// Folders that wait to be taken apart; beyond that the run does it itself.
const WAITING: usize = 256;

/// Folders with the default limits, ready for use.
pub(crate) struct Pool {
    ready: Arc<Mutex<Vec<Tree>>>,
    used: SyncSender<Tree>,
}

impl Pool {
    /// Starts the thread that fills the pool and takes used folders apart. It
    /// ends when the pool is dropped.
    pub(super) fn start() -> io::Result<Self> {
        let ready = Arc::new(Mutex::new(Vec::with_capacity(READY)));
        let (used, apart) = sync_channel(WAITING);
        let stock = Arc::clone(&ready);
        thread::Builder::new()
            .name("scratch".into())
            .spawn(move || keep_stocked(&stock, &apart))?;
        Ok(Self { ready, used })
    }

    /// Takes a clean folder with these limits: a ready one, or a new one.
    pub(super) fn take(&self, limits: &Limits) -> io::Result<Tree> {
        let ready = self.ready.lock().pop_if(|tree| tree.has_bounds(limits));
        ready.map_or_else(|| Tree::mount(limits), Ok)
    }

    /// Takes a folder back from a run that began at `since`.
    pub(super) fn give_back(&self, tree: Tree, since: Instant) {
        if tree.has_bounds(&Limits::default())
            && tree.is_untouched(since)
            && tree.clear_event().is_ok()
        {
            let mut ready = self.ready.lock();
            if ready.len() < READY {
                ready.push(tree);
                return;
            }
        }
        // A folder that the thread has no room for is dropped here and now.
        let _ = self.used.try_send(tree);
    }
}

fn keep_stocked(stock: &Mutex<Vec<Tree>>, used: &Receiver<Tree>) {
    loop {
        while stock.lock().len() < READY {
            match Tree::mount(&Limits::default()) {
                Ok(tree) => stock.lock().push(tree),
                // Whoever needs a folder hears of it.
                Err(_) => break,
            }
        }
        if used.recv().is_err() {
            return;
        }
    }
}
