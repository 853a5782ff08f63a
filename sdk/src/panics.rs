//! A panic as one line that names the file, and an exit status of its own.
//!
//! Without this a guest ends in a trap, which is written down as a fault of the
//! module with a backtrace of addresses.

use std::panic::{self, PanicHookInfo};
use std::process;

use crate::answer::{PANICKED, one_line};
use crate::run;

/// From now on a panic prints one line and ends the process.
pub(crate) fn tell_in_one_line() {
    panic::set_hook(Box::new(|panic| {
        run::tell(&text(panic));
        process::exit(PANICKED.into());
    }));
}

fn text(panic: &PanicHookInfo<'_>) -> String {
    let message = one_line(panic.payload_as_str().unwrap_or("no message"));
    match panic.location() {
        Some(place) => format!("panicked at {place}: {message}"),
        None => format!("panicked: {message}"),
    }
}
