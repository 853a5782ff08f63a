//! Keeps the nouns of `tenterhook-dispatch` in a database.
//!
//! [`Sqlite`] implements dispatch's `Store` on one file: a single writer that
//! groups commits, and many readers.

mod error;
mod sqlite;

pub use crate::error::Error;
pub use crate::sqlite::Sqlite;
