//! A spinner for work that takes long, on a terminal only.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is done sooner shows no spinner.
const DELAY: Duration = Duration::from_millis(400);

/// Time between two frames.
const INTERVAL: Duration = Duration::from_millis(120);

/// Spins on standard error until it is dropped, and then erases itself.
pub(crate) struct Spinner(Option<Running>);

struct Running {
    end: mpsc::Sender<()>,
    gone: mpsc::Receiver<()>,
}

impl Spinner {
    /// Starts a spinner with the message `doing` and the elapsed time. It draws nothing
    /// without a terminal, nor before [`DELAY`] has passed.
    pub(crate) fn start(doing: &'static str) -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let (end, ended) = mpsc::channel();
        let (going, gone) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("spinner".into())
            .spawn(move || {
                animate(doing, &ended);
                drop(going);
            });
        Self(thread.ok().map(|_| Running { end, gone }))
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        if let Some(Running { end, gone }) = self.0.take() {
            drop(end);
            // Do not wait for a terminal that is stuck.
            let _ = gone.recv_timeout(DELAY);
        }
    }
}

fn animate(doing: &'static str, ended: &mpsc::Receiver<()>) {
    if ended.recv_timeout(DELAY) != Err(RecvTimeoutError::Timeout) {
        return;
    }
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
        .expect("the template is fixed and right");
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(style);
    bar.set_elapsed(DELAY);
    bar.set_message(doing);
    while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
        bar.tick();
    }
    bar.finish_and_clear();
}
