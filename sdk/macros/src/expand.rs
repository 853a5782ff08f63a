//! The expansion of the attribute, and its errors for items that cannot be a hook.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Error, FnArg, GenericParam, Item, ItemFn, ReturnType, Safety, Type};

/// The form of a hook, for error messages.
const SHAPE: &str = "`#[hook] fn guard(event: Event) -> Verdict { … }`";

/// Returns the function and its `main`; or the item and what is wrong with it.
pub(crate) fn hook(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = match parse(arguments, item.clone()) {
        Ok(function) => function,
        Err(error) => {
            // The item stays and gets a `main`, so that there are no errors about a missing one.
            let main = stand_in(&item);
            let error = error.to_compile_error();
            return quote!(#item #error #main);
        }
    };
    let main = main(&function);
    quote!(#function #main)
}

/// Parses the item as a function that can be a hook.
fn parse(arguments: TokenStream, item: TokenStream) -> syn::Result<ItemFn> {
    if !arguments.is_empty() {
        return Err(refuse(
            &arguments,
            "`#[hook]` takes no arguments: write `#[hook]`; what the hook is for is the type of its argument",
        ));
    }
    let function = match syn::parse2(item)? {
        Item::Fn(function) => function,
        other => {
            return Err(refuse(
                &other,
                &format!("`#[hook]` belongs on a function: {SHAPE}"),
            ));
        }
    };
    check(&function)?;
    Ok(function)
}

fn check(function: &ItemFn) -> syn::Result<()> {
    let signature = &function.sig;
    let name = &signature.ident;
    if let Some(token) = &signature.asyncness {
        return Err(refuse(
            token,
            "a hook cannot be `async`: remove the keyword; a run is one call, from its start to its result",
        ));
    }
    if let Safety::Unsafe(token) = &signature.safety {
        return Err(refuse(
            token,
            "a hook cannot be `unsafe`: remove the keyword",
        ));
    }
    if let Some(abi) = &signature.abi {
        return Err(refuse(abi, &format!("a hook is a plain function: {SHAPE}")));
    }
    if name == "main" {
        return Err(refuse(
            name,
            "`#[hook]` writes `main` itself: give the function a name of its own, such as `guard`",
        ));
    }
    let generic = signature
        .generics
        .params
        .iter()
        .find(|generic| !matches!(generic, GenericParam::Lifetime(_)));
    if let Some(generic) = generic {
        return Err(refuse(
            generic,
            "a hook cannot be generic: nothing determines the type that it is called with; write the type",
        ));
    }
    for argument in &signature.inputs {
        match argument {
            FnArg::Receiver(receiver) => {
                return Err(refuse(
                    receiver,
                    "a hook cannot be a method: move the function out of the `impl`, and take `&Hook` to ask about the run",
                ));
            }
            FnArg::Typed(argument) => {
                if let Type::ImplTrait(ty) = &*argument.ty {
                    return Err(refuse(
                        ty,
                        "a hook cannot be generic: write the type in place of `impl …`",
                    ));
                }
            }
        }
    }
    if let Some(extra) = signature.inputs.iter().nth(2) {
        return Err(refuse(
            extra,
            "a hook takes at most two arguments, an event and `&Hook`: ask `&Hook` for everything else",
        ));
    }
    Ok(())
}

/// Generates `main`.
fn main(function: &ItemFn) -> TokenStream {
    let name = &function.sig.ident;
    let checks = checks(function);
    quote! {
        fn main() -> ::std::process::ExitCode {
            #checks
            ::tenterhook_sdk::run(#name)
        }
    }
}

/// Returns an empty `main` beside a refused function, unless it would conflict with it.
fn stand_in(item: &TokenStream) -> TokenStream {
    match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) if function.sig.ident != "main" && function.sig.receiver().is_none() => {
            quote!(
                fn main() {}
            )
        }
        _ => TokenStream::new(),
    }
}

/// Generates a check of each type, so that rustc points at the one at fault. Types with
/// lifetimes of the function's own cannot be named outside of it.
fn checks(function: &ItemFn) -> TokenStream {
    let signature = &function.sig;
    if !signature.generics.params.is_empty() {
        return TokenStream::new();
    }
    let arguments = signature
        .inputs
        .iter()
        .filter_map(|argument| match argument {
            FnArg::Typed(argument) => Some(&argument.ty),
            FnArg::Receiver(_) => None,
        });
    let arguments =
        arguments.map(|ty| quote_spanned!(ty.span()=> ::tenterhook_sdk::check::argument::<#ty>();));
    let answer = match &signature.output {
        ReturnType::Type(_, ty) if !matches!(**ty, Type::ImplTrait(_)) => {
            quote_spanned!(ty.span()=> ::tenterhook_sdk::check::answer::<#ty>();)
        }
        _ => TokenStream::new(),
    };
    quote!(#(#arguments)* #answer)
}

fn refuse(tokens: &impl ToTokens, text: &str) -> Error {
    Error::new_spanned(tokens, text)
}

#[cfg(test)]
mod tests;
