//! An execution hook override as Astra knows it.

use serde_json::{Value, json};
use tenterhook_dispatch::HookOverride;

use crate::astra::document::Shapes;
use crate::astra::media::{JSON, Media};
use crate::astra::metadata::{self, with_metadata_paths};
use crate::astra::reply::ListType;
use crate::astra::row::{Part, Row};
use crate::astra::schema::{BOOLEAN, Kind, METADATA, Member, members};
use tenterhook_query::astra::Vocabulary;

const TYPE: &str = "application/astra-executionHookOverride";
const VERSION: &str = "1.0";

pub(super) const LIST: ListType = ListType {
    name: "application/astra-executionHookOverrides",
    version: VERSION,
};

pub(super) const MEDIA: Media = Media {
    one: &[JSON, "application/astra-executionHookOverride+json"],
    list: &[
        JSON,
        "application/astra-executionHookOverrides+json",
        "application/astra-executionHookOverride+json",
    ],
};

pub(super) const MEMBERS: &[Member] = members! {
    "type": Kind::OneOf(&[TYPE]), Must Must Must;
    "version": Kind::OneOf(&[VERSION]), Must Must Must;
    "id": Kind::Identifier, Never May Must;
    "executionHookID": Kind::Identifier, Must May Must;
    "appID": Kind::Identifier, May May Must;
    "enabled": BOOLEAN, Must May Must;
    "metadata": METADATA, May May Must;
};

pub(super) const WORDS: Vocabulary = Vocabulary {
    members: &[
        "type",
        "version",
        "id",
        "executionHookID",
        "appID",
        "enabled",
        "metadata",
    ],
    paths: with_metadata_paths!(
        "type",
        "version",
        "id",
        "executionHookID",
        "appID",
        "enabled"
    ),
};

/// How the OpenAPI document describes overrides.
pub(super) fn shapes() -> Shapes {
    Shapes::new("ExecutionHookOverride", MEMBERS, LIST, MEDIA)
}

pub(super) fn row(own: &HookOverride) -> Row {
    Row::of(WORDS.members, |name| member(own, name).map(Part::Json))
}

/// One member.
pub(super) fn member(own: &HookOverride, name: &str) -> Option<Value> {
    Some(match name {
        "type" => TYPE.into(),
        "version" => VERSION.into(),
        "id" => json!(own.id),
        "executionHookID" => json!(own.hook),
        "appID" => json!(own.app),
        "enabled" => own.enabled.to_string().into(),
        "metadata" => metadata::print(
            &own.labels,
            (own.created_at, own.modified_at),
            own.created_by,
            own.modified_by,
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_table() {
        let names: Vec<_> = MEMBERS.iter().map(|member| member.name).collect();
        assert_eq!(names, WORDS.members);
    }
}
