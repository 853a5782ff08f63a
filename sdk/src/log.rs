//! Structured log lines: what a hook prints on standard error for programs to read.
//!
//! A line that is a JSON object with `level` and `message` is one; its other members are
//! fields. Any language can print them, and there may be other lines in between. A hook
//! in Rust prints them by [`info!`](crate::info) and its siblings, from the level in the
//! variable `HOOK_LOG` on.

mod level;
mod line;
mod macros;
mod print;

pub use self::level::Level;
pub use self::line::LogLine;
pub(crate) use self::print::capture;
#[doc(hidden)]
pub use self::print::{check_field, enabled, value, write};
