//! Commands of our own, where the interpreter's are missing or capped.

use bashkit::BashBuilder;

/// Adds our commands; they take the place of the interpreter's.
pub(crate) fn register(builder: BashBuilder) -> BashBuilder {
    builder
}
