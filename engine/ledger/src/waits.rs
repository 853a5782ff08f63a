//! Registration of those that wait for what others hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Registers a waiter until it is dropped. A waiter that registers and then still finds
/// nothing is notified of everything that is returned after that.
#[derive(Debug)]
#[must_use]
pub struct Waits(pub(crate) Arc<AtomicUsize>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
