//! An application and its containers, as Astra's execution hooks see them.
//!
//! The operator's platform keeps the list; a hook runs once for each container
//! that it matches.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::id::{AppId, Number};
use crate::label::Label;

/// An application with its containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its identifier, Astra's `appID`.
    pub id: AppId,
    /// Counted per account from 1.
    pub number: Number,
    /// Unique within the account.
    pub name: String,
    /// Whether it is replicated to another site; only then it can fail over.
    pub replicated: bool,
    /// Where its hooks run, in the order given.
    pub containers: Vec<Container>,
    /// When it was entered.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub modified_at: OffsetDateTime,
}

/// A container of an application: what matching criteria are held against.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Container {
    /// The pod that it is in.
    pub pod_name: String,
    /// The labels of that pod.
    #[serde(default)]
    pub pod_labels: Vec<Label>,
    /// Its image.
    pub container_image: String,
    /// Its own name.
    pub container_name: String,
    /// The namespace of its pod.
    pub namespace_name: String,
}

/// An application to enter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewApp {
    /// See [`App::id`]. Default: a new one.
    pub id: Option<AppId>,
    /// See [`App::name`]; 1 to 255 bytes without control characters.
    pub name: String,
    /// See [`App::replicated`].
    pub replicated: bool,
    /// See [`App::containers`]; at most 1,024, every text up to 255 bytes, at most
    /// 64 labels each.
    pub containers: Vec<Container>,
}

/// What to change of an application; `None` keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppChange {
    /// See [`NewApp::name`].
    pub name: Option<String>,
    /// See [`NewApp::replicated`].
    pub replicated: Option<bool>,
    /// See [`NewApp::containers`]; replaces all.
    pub containers: Option<Vec<Container>>,
}
