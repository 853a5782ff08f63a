//! The attribute of `tenterhook-sdk`. Use it from there: `tenterhook_sdk::hook`.

use proc_macro::TokenStream;
use quote::quote;

/// Makes a function a whole hook: its `main`.
#[proc_macro_attribute]
pub fn hook(_arguments: TokenStream, function: TokenStream) -> TokenStream {
    let function: proc_macro2::TokenStream = function.into();
    quote!(#function).into()
}
