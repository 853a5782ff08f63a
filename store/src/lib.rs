//! Keeps the nouns of `tenterhook-dispatch` in a database.
//!
//! [`Sqlite`] implements dispatch's `Store` on one file: a single writer that
//! groups commits, and many readers. [`backup`], [`restore`] and [`check()`] work on the
//! file alone, whether or not a server has it open.

mod check;
mod copy;
mod error;
mod sqlite;

pub use crate::check::{Checked, check};
pub use crate::copy::{backup, restore};
pub use crate::error::Error;
pub use crate::sqlite::Sqlite;
