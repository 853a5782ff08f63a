//! This process's standard input, read whole for the program and up to a bound.

use std::io::{self, IsTerminal as _, Read as _};

use anyhow::{Context as _, bail};
use bytes::Bytes;

use crate::own_thread;

/// Most that is read: a program gets its input at once, and this much of the
/// host's memory is spent on it. Sixteen times the largest output by default.
const MAX_BYTES: usize = 16 << 20;

/// Reads what is piped in. A person at a terminal is not waited for.
pub(crate) async fn read() -> anyhow::Result<Bytes> {
    if io::stdin().is_terminal() {
        return Ok(Bytes::new());
    }
    read_all(MAX_BYTES).await
}

/// Reads to the end; an input of more than `limit` bytes is refused.
///
/// The thread that reads is left behind when nobody waits for it any more: there
/// is no way to interrupt a read.
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
