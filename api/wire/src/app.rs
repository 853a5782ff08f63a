//! Apps: the applications whose containers Astra's execution hooks run for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::container::Container;

/// An application with its containers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct App {
    /// Its identifier, a UUID.
    pub id: String,
    /// Its number, unique within the account.
    pub number: i32,
    /// Unique within the account.
    pub name: String,
    /// Whether it is replicated to another site; only then it can fail over.
    pub replicated: bool,
    /// Its containers.
    pub containers: Vec<Container>,
    /// When it was created.
    pub created_at: String,
    /// When it was last changed.
    pub modified_at: String,
}

/// An application to create.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApp {
    /// A UUID; chosen by the server unless it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Unique within the account.
    pub name: String,
    /// Whether it is replicated; `false` by default.
    #[serde(default)]
    pub replicated: bool,
    /// At most 1,024.
    #[serde(default)]
    pub containers: Vec<Container>,
}

/// What to change of an application. What is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedApp {
    /// Its new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it is replicated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicated: Option<bool>,
    /// Replaces all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub containers: Option<Vec<Container>>,
}
