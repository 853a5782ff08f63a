//! A hook source as Astra knows it.

use bytes::Bytes;
use serde_json::{Value, json};
use tenterhook_dispatch::{MODULE_MAX_BYTES, Source, Visibility};
use tenterhook_engine::Kind as Program;

use crate::astra::document::Shapes;
use crate::astra::media::{JSON, Media};
use crate::astra::metadata::{self, with_metadata_paths};
use crate::astra::reply::ListType;
use crate::astra::row::{Part, Row};
use crate::astra::schema::{BOOLEAN, Kind, METADATA, Member, members};
use tenterhook_query::astra::Vocabulary;

const TYPE: &str = "application/astra-hookSource";
const VERSION: &str = "1.0";

pub(super) const LIST: ListType = ListType {
    name: "application/astra-hookSources",
    version: VERSION,
};

pub(super) const MEDIA: Media = Media {
    one: &[JSON, "application/astra-hookSource+json"],
    list: &[
        JSON,
        "application/astra-hookSources+json",
        "application/astra-hookSource+json",
    ],
};

/// A Wasm program may be longer than a script; how long, the operator configures.
#[expect(
    clippy::cast_possible_truncation,
    reason = "128 MiB fit into any usize"
)]
const SOURCE_MAX_CHARS: usize = (MODULE_MAX_BYTES as usize).div_ceil(3) * 4;

pub(super) const MEMBERS: &[Member] = members! {
    "type": Kind::OneOf(&[TYPE]), Must Must Must;
    "version": Kind::OneOf(&[VERSION]), Must Must Must;
    "id": Kind::Identifier, Never May Must;
    "name": Kind::Text { min: 1, max: 63 }, Must May Must;
    "private": BOOLEAN, Never May Must;
    "preloaded": BOOLEAN, Never May Must;
    "sourceType": Kind::OneOf(&["script", "wasm"]), Must May Must;
    "source": Kind::Base64 { max: SOURCE_MAX_CHARS }, Must May May;
    "sourceMD5Checksum": Kind::Checksum, Never May Must;
    "description": Kind::Text { min: 0, max: 511 }, May May May;
    "metadata": METADATA, May May Must;
};

pub(super) const WORDS: Vocabulary = Vocabulary {
    members: &[
        "type",
        "version",
        "id",
        "name",
        "private",
        "preloaded",
        "sourceType",
        "source",
        "sourceMD5Checksum",
        "description",
        "metadata",
    ],
    paths: with_metadata_paths!(
        "type",
        "version",
        "id",
        "name",
        "private",
        "preloaded",
        "sourceType",
        "sourceMD5Checksum",
        "description",
    ),
};

/// How the OpenAPI document describes hook sources.
pub(super) fn shapes() -> Shapes {
    Shapes::new("HookSource", MEMBERS, LIST, MEDIA)
}

/// Astra's name of a program's kind.
pub(super) fn source_type(source: &Source) -> &'static str {
    match source.kind {
        Program::Script => "script",
        Program::Module | Program::Component => "wasm",
    }
}

/// The resource; without bytes, which are withheld then, `source` is left out.
pub(super) fn row(source: &Source, bytes: Option<Bytes>) -> Row {
    Row::of(WORDS.members, |name| match name {
        "source" => bytes.clone().map(Part::Base64),
        name => member(source, name).map(Part::Json),
    })
}

/// One member, except `source`.
pub(super) fn member(source: &Source, name: &str) -> Option<Value> {
    let text = |flag: bool| json!(flag.to_string());
    Some(match name {
        "type" => TYPE.into(),
        "version" => VERSION.into(),
        "id" => json!(source.id),
        "name" => source.name.as_str().into(),
        "private" => text(source.visibility == Visibility::Private),
        "preloaded" => text(source.preloaded),
        "sourceType" => source_type(source).into(),
        "sourceMD5Checksum" => source.checksum.as_str().into(),
        "description" if source.description.is_empty() => return None,
        "description" => source.description.as_str().into(),
        "metadata" => metadata::print(
            &source.labels,
            (source.created_at, source.modified_at),
            source.created_by,
            source.modified_by,
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
