//! What the attribute asks of the types it finds, so that an error stands at them.

use crate::Answer;
use crate::argument::Argument;

/// Compiles if a hook can take an `A`.
pub const fn argument<'h, A: Argument<'h>>() {}

/// Compiles if a hook can return an `A`.
pub const fn answer<A: Answer>() {}
