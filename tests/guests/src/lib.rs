//! Guests for the suites: each binary does one thing, friendly or hostile.
//!
//! A binary is named `<suite>_<what>`. It prints what it found and leaves the
//! judgement to the test. Built for `wasm32-wasip1` only, see `tests/artifacts`.

pub mod wasi;
