//! The engine with real guests: every promise about a single run.
//!
//! Limits here are small and explicit, and nothing is timed: a test checks only the
//! outcome.
#![expect(clippy::unwrap_used, reason = "a helper of a test is a part of it")]

mod admission;
mod bounded;
mod bounded_code;
mod bulk;
mod burnt;
mod code_cache;
mod composed;
mod concurrency;
mod contained;
mod diagnostics;
mod files;
mod fuel;
mod gauge;
mod guests;
mod harness;
mod host_calls;
mod http;
mod limits;
mod lockdown;
mod mutations;
mod oracle;
mod outcomes;
mod same_answer;
mod sealed_code;
mod sharing;
mod shell;
mod stack;
mod waits;
mod watchdog;

use tenterhook_tests_artifacts::handmade as wasm;
