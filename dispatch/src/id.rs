//! Identifiers: a UUID newtype per noun, the integer number that croit shows,
//! and the key by which a caller may name a noun in either form.
//!
//! Text becomes an identifier by parsing alone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tenterhook_clock::new_id;
use tenterhook_ledger::Holder;
use uuid::Uuid;

/// The text is not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an identifier is a UUID such as `0198c0de-7a1b-7c3d-8e4f-5a6b7c8d9e0f`")]
pub struct NotAnId;

/// The text is neither a UUID nor a positive number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is a UUID or a number from 1 to 2147483647")]
pub struct NotAKey;

/// A UUID of version 4.
fn random() -> Uuid {
    Uuid::new_v4()
}

/// Declares one newtype over a UUID. Of version 4 where Astra's clients see it,
/// whose identifiers are of no newer version; else of version 7, whose later ones
/// sort after earlier ones.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $version:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Generates an identifier, a UUID of the version that this noun has.
            #[must_use]
            pub fn generate() -> Self {
                Self($version())
            }

            /// Wraps a UUID that a store has read back.
            #[must_use]
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            #[must_use]
            pub fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Uuid::parse_str(text).map(Self).map_err(|_| NotAnId)
            }
        }
    };
}

id! {
    /// Names an [`Account`](crate::Account).
    AccountId, random
}
id! {
    /// Names a [`Principal`](crate::Principal); all zeros is the system itself.
    PrincipalId, random
}
id! {
    /// Names a [`Token`](crate::Token).
    TokenId, new_id
}

impl AccountId {
    /// The account as a holder of what tenants share.
    #[must_use]
    pub fn holder(self) -> Holder {
        Holder::Account(self.as_uuid().as_u128())
    }
}

id! {
    /// Names a [`Source`](crate::Source).
    SourceId, random
}
id! {
    /// Names a [`Hook`](crate::Hook).
    HookId, random
}
id! {
    /// Names an [`App`](crate::App).
    AppId, random
}
id! {
    /// Names a [`HookOverride`](crate::HookOverride).
    OverrideId, random
}
id! {
    /// Names a [`Server`](crate::Server).
    ServerId, new_id
}
id! {
    /// Names a [`Task`](crate::Task).
    TaskId, new_id
}
id! {
    /// Names an [`Execution`](crate::Execution); the same over all its attempts.
    ExecutionId, new_id
}
id! {
    /// Names a [`Recipe`](crate::Recipe); made from its content.
    RecipeId, new_id
}
id! {
    /// Names one run of a server process, which owns the tasks that it has loaded.
    NodeId, new_id
}

impl PrincipalId {
    /// The creator of what no principal created: the system itself.
    pub const SYSTEM: Self = Self(Uuid::nil());
}

/// The integer by which croit knows a noun; counted per account from 1.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Number(i32);

impl Number {
    /// What a noun carries before the store has given it a number.
    pub const UNASSIGNED: Self = Self(0);

    /// Wraps a number that a store has read back or a client has sent; one that
    /// is not positive names nothing.
    #[must_use]
    pub fn new(number: i32) -> Self {
        Self(number)
    }

    /// The number itself.
    #[must_use]
    pub fn get(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Either of the two names of a noun: its id or its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key<I> {
    /// By its UUID.
    Id(I),
    /// By its number within the account.
    Number(Number),
}

impl<I: fmt::Display> fmt::Display for Key<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl<I: FromStr> FromStr for Key<I> {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        match text.parse::<i32>() {
            Ok(number) if number > 0 => Ok(Self::Number(Number(number))),
            Ok(_) => Err(NotAKey),
            Err(_) => text.parse().map(Self::Id).map_err(|_| NotAKey),
        }
    }
}

impl<I> From<Number> for Key<I> {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_from_its_text() {
        let id = HookId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn a_key_is_a_number_or_an_id_and_nothing_else() {
        let id = HookId::generate();
        assert_eq!("7".parse(), Ok(Key::<HookId>::Number(Number::new(7))));
        assert_eq!(id.to_string().parse(), Ok(Key::Id(id)));
        for text in ["", "0", "-1", "99999999999", "x", "7 "] {
            assert_eq!(text.parse::<Key<HookId>>(), Err(NotAKey), "{text}");
        }
    }
}
