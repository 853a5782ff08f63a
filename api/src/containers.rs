//! Containers and what hooks require of them, the same on the native and the Astra face.
//!
//! The names of members and criteria are Astra's; the dispatcher has its own.

use serde::{Deserialize, Serialize};
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::Label;
use utoipa::ToSchema;

use crate::refusal::Refusal;

/// A container, as matching criteria see it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Container {
    pod_name: String,
    #[serde(default)]
    #[schema(value_type = Option<Vec<LabelShape>>)]
    pod_labels: Vec<Label>,
    container_image: String,
    container_name: String,
    namespace_name: String,
}

impl From<dispatch::Container> for Container {
    fn from(own: dispatch::Container) -> Self {
        Self {
            pod_name: own.pod_name,
            pod_labels: own.pod_labels,
            container_image: own.container_image,
            container_name: own.container_name,
            namespace_name: own.namespace_name,
        }
    }
}

impl From<Container> for dispatch::Container {
    fn from(read: Container) -> Self {
        Self {
            pod_name: read.pod_name,
            pod_labels: read.pod_labels,
            container_image: read.container_image,
            container_name: read.container_name,
            namespace_name: read.namespace_name,
        }
    }
}

/// A free pair of name and value.
#[derive(Debug, ToSchema)]
#[schema(as = Label)]
#[expect(
    dead_code,
    reason = "describes the dispatcher's own type in the OpenAPI document"
)]
pub(crate) struct LabelShape {
    name: String,
    value: String,
}

/// One expression that a container must match, in the syntax of RE2.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Criterion {
    /// `containerImage`, `containerName`, `podName`, `podLabel` or `namespaceName`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    subject: Subject,
    value: String,
}

/// What an expression is matched against.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Subject {
    ContainerImage,
    ContainerName,
    PodName,
    PodLabel,
    NamespaceName,
}

impl From<&dispatch::Criterion> for Criterion {
    fn from(own: &dispatch::Criterion) -> Self {
        Self {
            subject: match own.subject {
                dispatch::Subject::ContainerImage => Subject::ContainerImage,
                dispatch::Subject::ContainerName => Subject::ContainerName,
                dispatch::Subject::PodName => Subject::PodName,
                dispatch::Subject::PodLabel => Subject::PodLabel,
                dispatch::Subject::NamespaceName => Subject::NamespaceName,
            },
            value: own.value.clone(),
        }
    }
}

impl From<Criterion> for dispatch::Criterion {
    fn from(read: Criterion) -> Self {
        Self {
            subject: match read.subject {
                Subject::ContainerImage => dispatch::Subject::ContainerImage,
                Subject::ContainerName => dispatch::Subject::ContainerName,
                Subject::PodName => dispatch::Subject::PodName,
                Subject::PodLabel => dispatch::Subject::PodLabel,
                Subject::NamespaceName => dispatch::Subject::NamespaceName,
            },
            value: read.value,
        }
    }
}

/// Prints criteria.
pub(crate) fn print_criteria(criteria: &[dispatch::Criterion]) -> Vec<Criterion> {
    criteria.iter().map(Criterion::from).collect()
}

/// Reads criteria.
pub(crate) fn read_criteria(criteria: Vec<Criterion>) -> Vec<dispatch::Criterion> {
    criteria.into_iter().map(Into::into).collect()
}

/// The refusal of an application, by the names that members have here.
pub(crate) fn refusal(error: dispatch::Error) -> Refusal {
    let mut refusal = Refusal::from(error);
    if let Refusal::Invalid(faults) = &mut refusal {
        for fault in faults {
            fault.pointer = camel_case(&fault.pointer);
        }
    }
    refusal
}

fn camel_case(snake_case: &str) -> String {
    let mut words = snake_case.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut text, word| {
        let mut chars = word.chars();
        text.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        text + chars.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_refused_by_its_name_on_the_wire() {
        let refused = refusal(dispatch::Error::Invalid {
            field: "containers.pod_name".into(),
            reason: "must not be empty".into(),
        });
        let Refusal::Invalid(faults) = refused else {
            panic!("not refused as invalid");
        };
        assert_eq!(faults[0].pointer, "/containers/podName");
    }
}
