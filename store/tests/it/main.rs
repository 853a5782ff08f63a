//! The conformance suite, run on every store.

#![expect(
    clippy::unwrap_used,
    reason = "what helps a test panics as the test does"
)]

mod conformance;
mod damage;
mod damaged;
mod damaged_page;
mod every_cell;
mod migration;
mod sqlite;
mod strays;
mod support;
mod unwritable;
