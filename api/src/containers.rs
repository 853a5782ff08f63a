//! Containers and what hooks require of them, the same on the native and the Astra API.
//!
//! The names of members and criteria are Astra's; the dispatcher has its own.

use tenterhook_dispatch as dispatch;
use tenterhook_wire::{Container, Criterion, Label, Subject};

use crate::refusal::Refusal;

/// Shows a container.
pub(crate) fn show(own: dispatch::Container) -> Container {
    Container {
        pod_name: own.pod_name,
        pod_labels: show_labels(own.pod_labels),
        container_image: own.container_image,
        container_name: own.container_name,
        namespace_name: own.namespace_name,
    }
}

/// Reads a container.
pub(crate) fn read(given: Container) -> dispatch::Container {
    dispatch::Container {
        pod_name: given.pod_name,
        pod_labels: read_labels(given.pod_labels),
        container_image: given.container_image,
        container_name: given.container_name,
        namespace_name: given.namespace_name,
    }
}

/// Shows labels.
pub(crate) fn show_labels(own: Vec<dispatch::Label>) -> Vec<Label> {
    let show = |dispatch::Label { name, value }| Label { name, value };
    own.into_iter().map(show).collect()
}

/// Reads labels.
pub(crate) fn read_labels(given: Vec<Label>) -> Vec<dispatch::Label> {
    let read = |Label { name, value }| dispatch::Label { name, value };
    given.into_iter().map(read).collect()
}

/// Shows criteria.
pub(crate) fn show_criteria(own: &[dispatch::Criterion]) -> Vec<Criterion> {
    let show = |own: &dispatch::Criterion| Criterion {
        subject: match own.subject {
            dispatch::Subject::ContainerImage => Subject::ContainerImage,
            dispatch::Subject::ContainerName => Subject::ContainerName,
            dispatch::Subject::PodName => Subject::PodName,
            dispatch::Subject::PodLabel => Subject::PodLabel,
            dispatch::Subject::NamespaceName => Subject::NamespaceName,
        },
        value: own.value.clone(),
    };
    own.iter().map(show).collect()
}

/// Reads criteria.
pub(crate) fn read_criteria(given: Vec<Criterion>) -> Vec<dispatch::Criterion> {
    let read = |given: Criterion| dispatch::Criterion {
        subject: match given.subject {
            Subject::ContainerImage => dispatch::Subject::ContainerImage,
            Subject::ContainerName => dispatch::Subject::ContainerName,
            Subject::PodName => dispatch::Subject::PodName,
            Subject::PodLabel => dispatch::Subject::PodLabel,
            Subject::NamespaceName => dispatch::Subject::NamespaceName,
        },
        value: given.value,
    };
    given.into_iter().map(read).collect()
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
