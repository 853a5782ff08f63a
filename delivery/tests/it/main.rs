//! Deliveries over real sockets, to receivers that behave and to some that do not.

#![expect(
    clippy::unwrap_used,
    reason = "what helps a test panics as the test does"
)]

mod attacks;
mod clock;
mod memory;
mod receiver;
mod resting;
mod sending;
mod subscribing;
mod support;
