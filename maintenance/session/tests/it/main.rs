//! Whole sessions, played by a tiny world without a clock.

#![expect(
    clippy::unwrap_used,
    reason = "what helps a test panics as the test does"
)]

mod default;
mod documents;
mod failures;
mod hostile;
mod plans;
mod properties;
mod replies;
mod source;
mod vnf;
mod world;
