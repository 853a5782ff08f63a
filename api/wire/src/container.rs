//! Containers, and what hooks require of them. Their members have Astra's names.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A container, as matching criteria see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Container {
    /// The name of its pod.
    pub pod_name: String,
    /// The labels of its pod.
    #[serde(default)]
    pub pod_labels: Vec<Label>,
    /// The image that it runs.
    pub container_image: String,
    /// Its name.
    pub container_name: String,
    /// The namespace of its pod.
    pub namespace_name: String,
}

/// A free-form pair of name and value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// One expression that a container must match, in the syntax of RE2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// What it is matched against.
    #[serde(rename = "type")]
    pub subject: Subject,
    /// The expression.
    pub value: String,
}

/// What an expression is matched against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// The image that the container runs.
    ContainerImage,
    /// The container's name.
    ContainerName,
    /// The name of its pod.
    PodName,
    /// Each label of its pod, as `name=value`.
    PodLabel,
    /// The namespace of its pod.
    NamespaceName,
}
