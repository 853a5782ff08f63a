//! The program's output, passed on while it is printed.
//!
//! The guest's thread must not wait for the reader of this process's output, so a thread of
//! its own does. What is buffered between them is bounded by the output limit. Nothing else
//! may write to the streams of a run: a reader that does not read blocks a writer for ever,
//! and only this thread may be abandoned.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, mpsc};

use anyhow::Context as _;
use tenterhook_engine::{OutputSink, Stream};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::guest_log::GuestLog;
use crate::neutral::Neutral;
use crate::paint;
use crate::say::say;

/// The guest's end.
struct Sink(mpsc::Sender<(Stream, Vec<u8>)>);

impl OutputSink for Sink {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        // Without a reader the run has been cancelled already.
        let _ = self.0.send((stream, bytes.to_vec()));
    }
}

/// The channel to the thread that prints.
pub(super) struct Printer(mpsc::Sender<OnPrinted>);

/// Called when everything is printed.
type OnPrinted = Box<dyn FnOnce(anyhow::Result<OutputDelivery>) + Send>;

/// Whether all output reached its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputDelivery {
    /// All of it.
    Complete,
    /// The reader went away, as `head` does when it has enough.
    ReaderGone,
}

/// Connects a guest to this process's standard streams, and prints the note first. Cancels
/// `run` when they are no longer read.
pub(super) fn open(run: CancellationToken, note: Option<String>) -> (Arc<dyn OutputSink>, Printer) {
    let (send, receive) = mpsc::channel::<(Stream, Vec<u8>)>();
    let (closing, closed) = mpsc::channel::<OnPrinted>();
    let print = move || {
        if let Some(note) = note {
            say(note);
        }
        let mut streams = Streams::default();
        let printed = receive
            .iter()
            .try_for_each(|(stream, bytes)| streams.write(stream, &bytes))
            .and_then(|()| streams.finish());
        if printed.is_err() {
            run.cancel();
        }
        // Without a callback the command has ended otherwise.
        if let Ok(on_printed) = closed.recv() {
            on_printed(delivery(printed));
        }
    };
    std::thread::spawn(print);
    (Arc::new(Sink(send)), Printer(closing))
}

fn delivery(printed: io::Result<()>) -> anyhow::Result<OutputDelivery> {
    match printed {
        Ok(()) => Ok(OutputDelivery::Complete),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(OutputDelivery::ReaderGone),
        Err(error) => Err(error).context("cannot write the program's output"),
    }
}

impl Printer {
    /// Has the thread call `on_printed` when everything is printed, and returns its result.
    /// The sink must have been dropped.
    pub(super) fn finish<T: Send + 'static>(
        self,
        on_printed: impl FnOnce(OutputDelivery) -> anyhow::Result<T> + Send + 'static,
    ) -> oneshot::Receiver<anyhow::Result<T>> {
        let (send, receive) = oneshot::channel();
        let on_printed = move |delivery: anyhow::Result<OutputDelivery>| {
            // The receiver may be gone.
            let _ = send.send(delivery.and_then(on_printed));
        };
        self.0
            .send(Box::new(on_printed))
            .expect("printing does not panic");
        receive
    }
}

/// Both streams; a terminal is shown neutralized text and formatted log lines, anything
/// else the raw bytes.
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
