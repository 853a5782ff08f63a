//! Accounts: the tenants.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Its identifier, a UUID.
    pub id: String,
    /// Its number, unique on the server.
    pub number: i32,
    /// Unique among accounts.
    pub name: String,
    /// Whether execution hooks may be used and run.
    pub hooks_enabled: bool,
    /// When it was created.
    pub created_at: String,
}

/// An account to create.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Unique among accounts.
    pub name: String,
}

/// What to change of an account. What is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedAccount {
    /// Its new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Cannot be switched off while the account has execution hooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hooks_enabled: Option<bool>,
}
