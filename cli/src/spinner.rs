//! A sign of life while something takes long, on a terminal only.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Between two turns.
const TURN: Duration = Duration::from_millis(120);

/// Turns until it is dropped, on standard error; then nothing of it is left.
pub(crate) struct Spinner(Option<ProgressBar>);

impl Spinner {
    /// Starts one that says `doing` and for how long. It draws nothing where there
    /// is no terminal.
    pub(crate) fn start(doing: &str) -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
            .expect("the template is fixed and right");
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(style);
        bar.set_message(doing.to_owned());
        bar.enable_steady_tick(TURN);
        Self(Some(bar))
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
