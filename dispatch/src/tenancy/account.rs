//! The tenant, who owns every other noun.

use serde::Serialize;
use time::OffsetDateTime;

use crate::id::{AccountId, Number};

/// A tenant. Nothing of one account can be reached from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Its identifier.
    pub id: AccountId,
    /// Counted over all accounts. Number 1 is the operator's own: its owners may
    /// make further accounts.
    pub number: Number,
    /// Unique among accounts.
    pub name: String,
    /// Whether hooks on applications may be used and run. Default: on.
    pub app_hooks: Switch,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// Whether a feature is to be on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// It is.
    #[default]
    On,
    /// It is not.
    Off,
}

impl Switch {
    /// Whether it is on.
    #[must_use]
    pub fn is_on(self) -> bool {
        self == Self::On
    }
}

impl From<bool> for Switch {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

impl Account {
    /// Whether this is the operator's own account, the first one made.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.number == Number::new(1)
    }
}
