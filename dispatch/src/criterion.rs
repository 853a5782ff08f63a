//! For which containers a hook runs: regular expressions that must all match.
//!
//! The expressions have RE2's syntax and its promise: time linear in the text.
//! They match anywhere in it unless anchored.

use serde::{Deserialize, Serialize};

/// What one expression is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// The container's image.
    ContainerImage,
    /// The container's name.
    ContainerName,
    /// The name of its pod.
    PodName,
    /// Each label of its pod, as `name=value`; one must match.
    PodLabel,
    /// The namespace of its pod.
    NamespaceName,
}

/// One expression that a container must match.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// What it is held against.
    #[serde(rename = "type")]
    pub subject: Subject,
    /// The expression.
    pub value: String,
}
