//! Runs work that may never end, such as reading from a silent pipe, on a thread of its
//! own. The thread is abandoned when its result is no longer awaited.

use anyhow::Context as _;
use tokio::sync::oneshot;

/// Runs `work` on a thread of this name. Dropping the future abandons the thread, which
/// does not keep the process from exiting.
pub(crate) async fn run<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<T> {
    let (send, receive) = oneshot::channel();
    std::thread::Builder::new()
        .name(name.into())
        .spawn(move || {
            // The receiver may be gone.
            let _ = send.send(work());
        })
        .with_context(|| format!("cannot start the thread `{name}`"))?;
    receive
        .await
        .with_context(|| format!("the thread `{name}` panicked"))
}
