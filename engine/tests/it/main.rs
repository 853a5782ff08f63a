//! The engine with real guests: every promise about a single run.
//!
//! Limits here are small and explicit, and nothing is timed: a test looks at the
//! outcome alone.
#![expect(clippy::unwrap_used, reason = "a helper of a test is a part of it")]

mod admission;
mod bounded;
mod bounded_code;
mod bulk;
mod burnt;
mod composed;
mod concurrency;
mod contained;
mod files;
mod fuel;
mod gauge;
mod guests;
mod harness;
mod host_calls;
mod limits;
mod lockdown;
mod mutations;
mod oracle;
mod same_answer;
mod sealed_code;
mod sharing;
mod shell;
mod store_of_code;
mod told;
mod waits;
mod watchdog;

use tenterhook_tests_artifacts::handmade as wasm;
