//! Work that may never end, such as reading from a pipe that nobody writes to: on a
//! thread of its own, which is left behind when nobody waits for it any more.

use anyhow::Context as _;
use tokio::sync::oneshot;

/// Does `work` on a thread of this name. Dropping the future leaves the thread to
/// itself; it does not keep the process from ending.
pub(crate) async fn run<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<T> {
    let (send, receive) = oneshot::channel();
    std::thread::Builder::new()
        .name(name.into())
        .spawn(move || {
            // Whoever waited for it may have given up.
            let _ = send.send(work());
        })
        .with_context(|| format!("cannot start the thread `{name}`"))?;
    receive
        .await
        .with_context(|| format!("the thread `{name}` panicked"))
}
