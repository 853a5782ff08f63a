//! The conformance suite, run on every store.

mod conformance;
mod sqlite;
mod support;
