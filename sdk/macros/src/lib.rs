//! The attribute of `tenterhook-sdk`. Use it from there: `tenterhook_sdk::hook`.

mod expand;

use proc_macro::TokenStream;

/// Turns a function into a whole hook: generates the `main` that calls it.
///
/// The function takes nothing, an event, `&Hook`, or an event and `&Hook`, and
/// returns `()`, a `Verdict`, a status, or an `Option` or a `Result` of one of them.
/// The function itself is unchanged, so that unit tests can call it.
#[proc_macro_attribute]
pub fn hook(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::hook(arguments.into(), item.into()).into()
}
