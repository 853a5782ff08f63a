//! What a caller holds of shared resources, kept by the changes that it has begun.
//!
//! A change continues when its caller disconnects, and so must its charges: a client that
//! disconnects and retries could otherwise run any number of changes for free.
//! Which resources those are is the caller's concern.

use std::any::Any;
use std::sync::Arc;

/// Something that is held until the last clone is dropped.
type Held = Arc<dyn Any + Send + Sync>;

tokio::task_local! {
    static HELD: Held;
}

/// Runs `work`. Every change that it has [carried out](super::carry_out()) holds `held`
/// until that has ended, even if `work` is dropped before.
pub async fn holding<F: Future>(held: impl Send + Sync + 'static, work: F) -> F::Output {
    let held: Held = Arc::new(held);
    HELD.scope(held, work).await
}

/// Has `work` hold what the current caller holds, until it has ended.
pub(super) fn keep_held<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let held = HELD.try_with(Arc::clone).ok();
    async move {
        let output = work.await;
        drop(held);
        output
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn resources_of_the_caller_are_held_until_the_change_has_ended() {
        let held = Arc::new(());
        let watched = Arc::downgrade(&held);
        let (end, ended) = oneshot::channel::<()>();
        let (change,) = holding(held, async { (keep_held(ended),) }).await;
        // The caller is gone; the change is not.
        assert!(watched.upgrade().is_some());
        end.send(()).unwrap();
        change.await.unwrap();
        assert!(watched.upgrade().is_none());
    }

    #[tokio::test]
    async fn a_change_whose_caller_holds_nothing_is_carried_out_too() {
        assert_eq!(keep_held(async { 7 }).await, 7);
    }
}
