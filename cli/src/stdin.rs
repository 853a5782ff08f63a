//! Reads this process's standard input to its end, up to a limit.

use std::io::{self, IsTerminal as _, Read as _};

use anyhow::{Context as _, bail};
use bytes::Bytes;

use crate::own_thread;

/// Most bytes that are read: a program is given its input at once, which takes this much
/// of the host's memory. Sixteen times the largest output by default.
const MAX_BYTES: usize = 16 << 20;

/// Reads what is piped in. A terminal is not read.
pub(crate) async fn read() -> anyhow::Result<Bytes> {
    if io::stdin().is_terminal() {
        return Ok(Bytes::new());
    }
    read_all(MAX_BYTES).await
}

/// Reads to the end; an input of more than `limit` bytes is refused.
///
/// If the future is dropped, the thread that reads is abandoned: a read cannot be
/// interrupted.
pub(crate) async fn read_all(limit: usize) -> anyhow::Result<Bytes> {
    let read = move || {
        let mut bytes = Vec::new();
        io::stdin()
            .lock()
            .take(limit as u64 + 1)
            .read_to_end(&mut bytes)
            .map(|_| bytes)
    };
    let bytes = own_thread::run("stdin", read)
        .await?
        .context("cannot read standard input")?;
    if bytes.len() > limit {
        bail!("cannot use standard input: it has more than {limit} bytes");
    }
    Ok(bytes.into())
}
