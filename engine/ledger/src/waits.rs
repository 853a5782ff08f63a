//! That somebody waits for what others hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Says that somebody waits, until it is dropped. Who has said so and finds nothing then is
/// told of whatever is given back after that.
#[derive(Debug)]
#[must_use]
pub struct Waits(pub(crate) Arc<AtomicUsize>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
