//! What the suites run in the sandbox.
//!
//! A constant names the file of each guest that is built from source with this
//! crate. `foreach_<suite>!` hands a suite's names to a macro: who makes private
//! constants of them and denies dead code has a suite that does not compile while
//! one of its guests is untested. [`handmade`] holds what no compiler would make.

pub mod handmade;
mod with_files;

pub use self::with_files::with_files;

include!(concat!(env!("OUT_DIR"), "/names.rs"));
