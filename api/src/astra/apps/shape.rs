//! An application as Astra knows it, as far as hooks are concerned.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tenterhook_dispatch::{App, PrincipalId};

use crate::astra::document::Shapes;
use crate::astra::media::{JSON, Media};
use crate::astra::metadata::{self, with_metadata_paths};
use crate::astra::reply::ListType;
use crate::astra::row::{Part, Row};
use crate::astra::schema::{Kind, METADATA, Member, members};
use tenterhook_query::astra::Vocabulary;

const TYPE: &str = "application/astra-app";
const VERSION: &str = "2.0";

pub(super) const LIST: ListType = ListType {
    name: "application/astra-apps",
    version: VERSION,
};

pub(super) const MEDIA: Media = Media {
    one: &[JSON, "application/astra-app+json"],
    list: &[
        JSON,
        "application/astra-apps+json",
        "application/astra-app+json",
    ],
};

const TEXT: Kind = Kind::Text {
    min: 1,
    max: usize::MAX,
};

const MEMBERS: &[Member] = members! {
    "type": Kind::OneOf(&[TYPE]), Never Never Must;
    "version": Kind::OneOf(&[VERSION]), Never Never Must;
    "id": Kind::Identifier, Never Never Must;
    "name": TEXT, Never Never Must;
    "state": Kind::OneOf(&["ready"]), Never Never Must;
    "namespaces": Kind::List { of: &TEXT, max: usize::MAX, unique: true }, Never Never Must;
    "metadata": METADATA, Never Never Must;
};

pub(super) const WORDS: Vocabulary = Vocabulary {
    members: &[
        "type",
        "version",
        "id",
        "name",
        "state",
        "namespaces",
        "metadata",
    ],
    paths: with_metadata_paths!("type", "version", "id", "name", "state", "namespaces[*]"),
};

/// How the OpenAPI document describes applications.
pub(super) fn shapes() -> Shapes {
    Shapes::new("AstraApp", MEMBERS, LIST, MEDIA)
}

pub(super) fn row(app: &App) -> Row {
    Row::of(WORDS.members, |name| member(app, name).map(Part::Json))
}

/// One member. The namespaces are those of its containers.
pub(super) fn member(app: &App, name: &str) -> Option<Value> {
    let namespaces = || {
        let containers = app.containers.iter();
        let names = containers.map(|container| container.namespace_name.as_str());
        names.collect::<BTreeSet<_>>()
    };
    Some(match name {
        "type" => TYPE.into(),
        "version" => VERSION.into(),
        "id" => json!(app.id),
        "name" => app.name.as_str().into(),
        "state" => "ready".into(),
        "namespaces" => json!(namespaces()),
        "metadata" => metadata::print(
            &[],
            (app.created_at, app.modified_at),
            PrincipalId::SYSTEM,
            None,
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
