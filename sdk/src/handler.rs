//! The functions that are hooks.

use crate::answer::{self, Conclusion};
use crate::argument::{Argument, NoArgument};
use crate::{Answer, Hook};

/// A function that is a hook: one of up to two [`Argument`]s that returns an
/// [`Answer`].
///
/// `Arguments` is what it takes, as a tuple; it is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a hook",
    label = "not a hook",
    note = "a hook takes nothing, an event, `&Hook`, or an event and `&Hook`",
    note = "it returns `()`, `Verdict`, `u8`, or an `Option` or a `Result` of one of them"
)]
pub trait Handler<'h, Arguments> {
    /// Calls the function with what it takes.
    ///
    /// # Errors
    ///
    /// [`NoArgument`] when the run has no such event; the function was not called.
    fn call(self, hook: &'h Hook) -> Result<Conclusion, NoArgument>;
}

impl<F, R> Handler<'_, ()> for F
where
    F: FnOnce() -> R,
    R: Answer,
{
    fn call(self, _hook: &Hook) -> Result<Conclusion, NoArgument> {
        Ok(self().conclude())
    }
}

impl<'h, F, A, R> Handler<'h, (A,)> for F
where
    F: FnOnce(A) -> R,
    A: Argument<'h>,
    R: Answer,
{
    fn call(self, hook: &'h Hook) -> Result<Conclusion, NoArgument> {
        Ok(self(A::take(hook)?).conclude())
    }
}

impl<'h, F, A, B, R> Handler<'h, (A, B)> for F
where
    F: FnOnce(A, B) -> R,
    A: Argument<'h>,
    B: Argument<'h>,
    R: Answer,
{
    fn call(self, hook: &'h Hook) -> Result<Conclusion, NoArgument> {
        Ok(self(A::take(hook)?, B::take(hook)?).conclude())
    }
}

/// Calls a hook's function; an argument that cannot be created ends the hook.
pub(crate) fn conclude<'h, A>(handler: impl Handler<'h, A>, hook: &'h Hook) -> Conclusion {
    handler
        .call(hook)
        .unwrap_or_else(|error| Conclusion::fault(answer::UNSUITED, &error))
}
