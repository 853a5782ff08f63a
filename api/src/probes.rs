//! What probes ask the store, asked once for all who wait for it at one time.
//!
//! Anyone may probe as often as they like: the store is asked once at a time, and every
//! probe that came before it was asked shares the result.

use tokio::sync::Mutex;
use tokio::time::Instant;

/// Results that probes share.
#[derive(Default)]
pub(crate) struct Probes {
    /// Waiting deliveries; `None` if the store could not count them.
    pub(crate) waiting_deliveries: Shared<Option<u64>>,
}

/// A result that all who have come before it was asked for share.
pub(crate) struct Shared<T>(Mutex<Option<(Instant, T)>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Shared<T> {
    /// Returns the shared result, or that of `ask` if it was asked before this call.
    pub(crate) async fn get(&self, ask: impl Future<Output = T>) -> T {
        let came = Instant::now();
        let mut last = self.0.lock().await;
        if let Some((asked, result)) = &*last
            && *asked >= came
        {
            return result.clone();
        }
        let asked = Instant::now();
        let result = ask.await;
        *last = Some((asked, result.clone()));
        result
    }
}
