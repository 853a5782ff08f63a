//! Reports a panic as one line that names the file, with an exit status of its own.
//!
//! Without this a guest ends in a trap, which is recorded as a fault of the module with a
//! backtrace of addresses.

use std::panic::{self, PanicHookInfo};
use std::process;

use crate::answer::{PANICKED, one_line};
use crate::run;

/// Makes every panic from now on print one line and end the process.
pub(crate) fn report_in_one_line() {
    panic::set_hook(Box::new(|panic| {
        run::report(&text(panic));
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
