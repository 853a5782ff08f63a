//! The metadata of every resource: who created it, when, and its labels.

use serde_json::{Map, Value, json};
use tenterhook_dispatch::{Label, PrincipalId};
use time::OffsetDateTime;

use tenterhook_query::astra::{Compared, print_timestamp};

/// The paths into metadata that a filter may name, after those of a resource.
macro_rules! with_metadata_paths {
    ($($path:literal),* $(,)?) => {
        &[
            $(($path, tenterhook_query::astra::Compared::Text),)*
            ("metadata.labels[*].name", tenterhook_query::astra::Compared::Text),
            ("metadata.labels[*].value", tenterhook_query::astra::Compared::Text),
            crate::astra::metadata::CREATED,
            ("metadata.modificationTimestamp", tenterhook_query::astra::Compared::Time),
            ("metadata.createdBy", tenterhook_query::astra::Compared::Text),
            ("metadata.modifiedBy", tenterhook_query::astra::Compared::Text),
        ]
    };
}

pub(super) use with_metadata_paths;

/// The path that is indexed.
pub(super) const CREATED: (&str, Compared) = ("metadata.creationTimestamp", Compared::Time);

/// Prints metadata.
pub(super) fn print(
    labels: &[Label],
    (created_at, modified_at): (OffsetDateTime, OffsetDateTime),
    created_by: PrincipalId,
    modified_by: Option<PrincipalId>,
) -> Value {
    let mut metadata = json!({
        "labels": labels,
        "creationTimestamp": print_timestamp(created_at),
        "modificationTimestamp": print_timestamp(modified_at),
        "createdBy": created_by,
    });
    if let Some(by) = modified_by {
        metadata["modifiedBy"] = json!(by);
    }
    metadata
}

/// The labels that a body sets, if any; the rest of the metadata is the server's. The
/// body has been checked against its table.
pub(super) fn labels_in(body: &Map<String, Value>) -> Option<Vec<Label>> {
    let labels = body.get("metadata")?.get("labels")?.as_array()?;
    let text = |label: &Value, name: &str| label[name].as_str().unwrap_or_default().to_owned();
    let read = |label: &Value| Label {
        name: text(label, "name"),
        value: text(label, "value"),
    };
    Some(labels.iter().map(read).collect())
}

/// A member of a body that has been checked against its table.
pub(super) fn text_in<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    body.get(name)?.as_str()
}
