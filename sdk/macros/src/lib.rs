//! The attribute of `tenterhook-sdk`. Use it from there: `tenterhook_sdk::hook`.

mod expand;

use proc_macro::TokenStream;

/// Makes a function a whole hook: writes the `main` that calls it.
///
/// The function takes nothing, an event, `&Hook`, or an event and `&Hook`, and
/// returns `()`, a `Verdict`, a status, or an `Option` or a `Result` of one of them.
/// It stays as it is, so that unit tests call it.
#[proc_macro_attribute]
pub fn hook(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::hook(arguments.into(), item.into()).into()
}
