//! A sign of life while something takes long, on a terminal only.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is done sooner needs no sign.
const PATIENCE: Duration = Duration::from_millis(400);

/// Between two turns.
const TURN: Duration = Duration::from_millis(120);

/// Turns on standard error until it is dropped; then nothing of it is left.
pub(crate) struct Spinner(Option<Turning>);

struct Turning {
    end: mpsc::Sender<()>,
    gone: mpsc::Receiver<()>,
}

impl Spinner {
    /// Starts one that says `doing` and for how long. It draws nothing where there
    /// is no terminal, nor before a moment has passed.
    pub(crate) fn start(doing: &'static str) -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let (end, ended) = mpsc::channel();
        let (going, gone) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("spinner".into())
            .spawn(move || {
                turn(doing, &ended);
                drop(going);
            });
        Self(thread.ok().map(|_| Turning { end, gone }))
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        if let Some(Turning { end, gone }) = self.0.take() {
            drop(end);
            // A terminal that takes nothing is not waited for.
            let _ = gone.recv_timeout(PATIENCE);
        }
    }
}

fn turn(doing: &'static str, ended: &mpsc::Receiver<()>) {
    if ended.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
        return;
    }
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
        .expect("the template is fixed and right");
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(style);
    bar.set_elapsed(PATIENCE);
    bar.set_message(doing);
    while ended.recv_timeout(TURN) == Err(RecvTimeoutError::Timeout) {
        bar.tick();
    }
    bar.finish_and_clear();
}
