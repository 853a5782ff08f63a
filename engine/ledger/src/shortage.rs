//! Why a resource could not be taken.

use std::time::Duration;

use crate::resource::{Resource, Unit};

/// There is not enough of a resource for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", describe(self))]
pub struct Shortage {
    /// What there is not enough of.
    pub resource: Resource,
    /// How much was requested.
    pub asked: u64,
    /// How much was available.
    pub available: u64,
    /// Whose part is used up.
    pub scope: Scope,
    /// When to retry.
    pub retry_after: Duration,
}

/// Whose part of a resource is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The requester's; there is still some for others.
    Holder,
    /// That of all clients without a token; there is still some for accounts.
    Strangers,
    /// The whole host's.
    Host,
}

impl Shortage {
    /// Returns whether waiting cannot help: more was requested than one holder may have
    /// when everything is free.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        self.retry_after == Duration::MAX
    }
}

fn describe(shortage: &Shortage) -> String {
    let unit = match shortage.resource.unit() {
        Unit::Bytes => " bytes",
        Unit::Count => "",
    };
    let whose = match shortage.scope {
        Scope::Holder => "of your share",
        Scope::Strangers => "for clients without a token",
        Scope::Host => "on this server",
    };
    format!(
        "not enough {} {whose}: {}{unit} needed, {}{unit} left",
        shortage.resource.as_str().replace('_', " "),
        shortage.asked,
        shortage.available,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_names_the_resource_and_both_amounts() {
        let shortage = Shortage {
            resource: Resource::RunSlots,
            asked: 2,
            available: 1,
            scope: Scope::Host,
            retry_after: Duration::from_secs(1),
        };
        assert_eq!(
            shortage.to_string(),
            "not enough run slots on this server: 2 needed, 1 left"
        );
        let shortage = Shortage {
            resource: Resource::Memory,
            scope: Scope::Holder,
            ..shortage
        };
        assert_eq!(
            shortage.to_string(),
            "not enough memory of your share: 2 bytes needed, 1 bytes left"
        );
    }
}
