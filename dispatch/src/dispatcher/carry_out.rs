//! How a change completes even if its caller disconnects meanwhile. What the change is,
//! and whether it may begin, is the caller's concern.

use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::holding::keep_held;
use crate::error::Error;

/// Runs `work` to its end in a task of its own, even if the caller is dropped meanwhile.
///
/// Waiting for `tracker` includes it, and what the caller [holds](super::holding()) is held
/// until then. If it panics, so does the caller.
///
/// # Errors
///
/// Those of `work`, and [`Error::Stopping`] if the runtime ends before it.
pub async fn carry_out<T, E, F>(tracker: &TaskTracker, work: F) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    join(tracker.spawn(keep_held(work))).await?
}

/// Waits for the end of a task. If it has panicked, so does the caller; it ends as
/// [`Error::Stopping`] if the runtime has ended before it.
pub(super) async fn join<T>(task: JoinHandle<T>) -> Result<T, Error> {
    match task.await {
        Ok(done) => Ok(done),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::Stopping),
        },
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_change_completes_although_its_caller_is_gone() {
        let tracker = TaskTracker::new();
        let (leave, left) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel();
        let mut change = Box::pin(carry_out(&tracker, async move {
            left.await.unwrap();
            end.send(7).unwrap();
            Ok::<(), Error>(())
        }));
        tokio::select! {
            biased;
            _ = &mut change => unreachable!("it waits until its caller has left"),
            () = std::future::ready(()) => {}
        }
        drop(change);

        leave.send(()).unwrap();
        tracker.close();
        tracker.wait().await;
        assert_eq!(ended.await, Ok(7));
    }
}
