//! The program's output, passed on while it is printed.
//!
//! The guest's thread must not wait for whoever reads this process's output, so a
//! thread of its own does. What waits between them is bounded by the output limit.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use anyhow::Context as _;
use tenterhook_engine::{OutputSink, Stream};
use tokio_util::sync::CancellationToken;

use crate::guest_log::GuestLog;
use crate::neutral::Neutral;
use crate::paint;

/// The guest's end.
struct Sink(mpsc::Sender<(Stream, Vec<u8>)>);

impl OutputSink for Sink {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        // Without a reader the run has been cancelled already.
        let _ = self.0.send((stream, bytes.to_vec()));
    }
}

/// The thread that prints.
pub(super) struct Printer(JoinHandle<io::Result<()>>);

/// Whether all output reached its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// All of it.
    All,
    /// The reader went away, as `head` does when it has enough.
    NotToTheEnd,
}

/// Opens a way from a guest to this process's standard streams. Cancels `run`
/// when nobody reads them any more.
pub(super) fn open(run: CancellationToken) -> (Arc<dyn OutputSink>, Printer) {
    let (send, receive) = mpsc::channel::<(Stream, Vec<u8>)>();
    let print = move || {
        let mut streams = Streams::default();
        let printed = receive
            .iter()
            .try_for_each(|(stream, bytes)| streams.write(stream, &bytes))
            .and_then(|()| streams.finish());
        if printed.is_err() {
            run.cancel();
        }
        printed
    };
    (Arc::new(Sink(send)), Printer(std::thread::spawn(print)))
}

impl Printer {
    /// Waits until everything is printed. The sink must be gone.
    pub(super) fn finish(self) -> anyhow::Result<Heard> {
        match self.0.join().expect("printing does not panic") {
            Ok(()) => Ok(Heard::All),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Heard::NotToTheEnd),
            Err(error) => Err(error).context("cannot write the program's output"),
        }
    }
}

/// Both streams; a terminal is shown neutral text and drawn log lines, everything
/// else the bytes.
struct Streams {
    stdout: Option<Neutral>,
    stderr: Option<GuestLog>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            stdout: io::stdout().is_terminal().then(Neutral::default),
            stderr: io::stderr()
                .is_terminal()
                .then(|| GuestLog::new(paint::stderr())),
        }
    }
}

impl Streams {
    fn write(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        match stream {
            Stream::Stdout => {
                let mut to = io::stdout().lock();
                match &mut self.stdout {
                    Some(neutral) => neutral.write(bytes, &mut to)?,
                    None => to.write_all(bytes)?,
                }
                to.flush()
            }
            Stream::Stderr => {
                let mut to = io::stderr().lock();
                match &mut self.stderr {
                    Some(log) => log.write(bytes, &mut to)?,
                    None => to.write_all(bytes)?,
                }
                to.flush()
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        if let Some(neutral) = &mut self.stdout {
            neutral.finish(&mut io::stdout().lock())?;
        }
        if let Some(log) = &mut self.stderr {
            log.finish(&mut io::stderr().lock())?;
        }
        io::stdout().flush()
    }
}
