//! The program's output, passed on while it is printed.
//!
//! The guest's thread must not wait for whoever reads this process's output, so a
//! thread of its own does. What waits between them is bounded by the output limit.
//! Nothing else may write to the streams of a run: a reader who does not read keeps
//! a writer for ever, and only this thread may be left behind.

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

/// The way to the thread that prints.
pub(super) struct Printer(mpsc::Sender<LastWords>);

/// What is done when all is printed.
type LastWords = Box<dyn FnOnce(anyhow::Result<Heard>) + Send>;

/// Whether all output reached its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// All of it.
    All,
    /// The reader went away, as `head` does when it has enough.
    NotToTheEnd,
}

/// Opens a way from a guest to this process's standard streams, and says the note first.
/// Cancels `run` when nobody reads them any more.
pub(super) fn open(run: CancellationToken, note: Option<String>) -> (Arc<dyn OutputSink>, Printer) {
    let (send, receive) = mpsc::channel::<(Stream, Vec<u8>)>();
    let (closing, closed) = mpsc::channel::<LastWords>();
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
        // Without last words the command has ended otherwise.
        if let Ok(last_words) = closed.recv() {
            last_words(heard(printed));
        }
    };
    std::thread::spawn(print);
    (Arc::new(Sink(send)), Printer(closing))
}

fn heard(printed: io::Result<()>) -> anyhow::Result<Heard> {
    match printed {
        Ok(()) => Ok(Heard::All),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Heard::NotToTheEnd),
        Err(error) => Err(error).context("cannot write the program's output"),
    }
}

impl Printer {
    /// Has the thread say the last words when everything is printed, and returns
    /// what came of that. The sink must be gone.
    pub(super) fn finish<T: Send + 'static>(
        self,
        last_words: impl FnOnce(Heard) -> anyhow::Result<T> + Send + 'static,
    ) -> oneshot::Receiver<anyhow::Result<T>> {
        let (send, receive) = oneshot::channel();
        let last_words = move |heard: anyhow::Result<Heard>| {
            // Whoever waited for it may have given up.
            let _ = send.send(heard.and_then(last_words));
        };
        self.0
            .send(Box::new(last_words))
            .expect("printing does not panic");
        receive
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
