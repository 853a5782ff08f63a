//! Maintenance sessions on a real store, dispatcher and sandbox.
#![expect(clippy::unwrap_used, reason = "a helper of a test is a part of it")]

mod clock;
mod create;
mod delete;
mod failing;
mod hosts;
mod play;
mod restart;
mod support;
mod tenancy;
mod workflow;
