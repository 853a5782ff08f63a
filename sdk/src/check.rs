//! The attribute's checks of types, so that a compile error points at the type.

use crate::Answer;
use crate::argument::Argument;

/// Compiles if a hook can take an `A`.
pub const fn argument<'h, A: Argument<'h>>() {}

/// Compiles if a hook can return an `A`.
pub const fn answer<A: Answer>() {}
