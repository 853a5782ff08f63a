//! Ctrl-C ends a command that runs until interrupted: with status 130, and with the
//! terminal restored.

use anyhow::Context as _;

use crate::signals::Signals;

/// From now on, the first termination signal ends the process. `restore` is written to
/// standard output first; empty if there is nothing to restore.
pub(crate) fn guard(restore: &'static str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot listen for signals")?;
    let mut signals = {
        let _entered = runtime.enter();
        Signals::listen()?
    };
    let wait = move || {
        let signal = runtime.block_on(signals.next());
        // Not through the standard library: the thread that prints may hold its lock.
        let _ = rustix::io::write(std::io::stdout(), restore.as_bytes());
        std::process::exit(signal.status().into());
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(wait)
        .context("cannot listen for signals")?;
    Ok(())
}
