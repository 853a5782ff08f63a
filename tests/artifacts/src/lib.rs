//! The files of the guests that the suites run, built from source with this crate.
//!
//! A constant names each file. `foreach_<suite>!` hands a suite's names to a
//! macro: who makes private constants of them and denies dead code has a suite
//! that does not compile while one of its guests is untested.

include!(concat!(env!("OUT_DIR"), "/names.rs"));
