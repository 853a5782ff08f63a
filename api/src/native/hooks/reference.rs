//! How a hook's JSON names its source, its servers and its app.

use std::str::FromStr;

use tenterhook_dispatch::{Key, Number, Targets};
use tenterhook_wire::{IdOrNumber, Servers};

use crate::refusal::Refusal;

/// Reads the reference at `pointer`.
pub(super) fn read_key<I: FromStr>(pointer: &str, given: IdOrNumber) -> Result<Key<I>, Refusal> {
    let key = match given {
        IdOrNumber::Number(number) => Some(Key::Number(Number::new(number))),
        IdOrNumber::Text(text) => text.parse().ok(),
    };
    key.ok_or_else(|| Refusal::invalid(pointer, "must be an id or a number"))
}

/// Reads the servers that a hook runs for.
pub(super) fn read_servers(given: Servers) -> Targets {
    match given {
        Servers::All(_) => Targets::All,
        Servers::These(numbers) => Targets::These(numbers.into_iter().map(Number::new).collect()),
    }
}

/// Shows the servers that a hook runs for; `None` where there is no choice.
pub(super) fn show_servers(own: &Targets) -> Option<Servers> {
    match own {
        Targets::Once | Targets::Containers { .. } => None,
        Targets::All => Some(Servers::ALL),
        Targets::These(numbers) => {
            let numbers = numbers.iter().map(|number| number.get());
            Some(Servers::These(numbers.collect()))
        }
    }
}
