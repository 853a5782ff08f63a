//! An execution hook as Astra knows it.

use serde_json::{Value, json};
use tenterhook_dispatch::{AppId, Container, Criterion, Hook, Role, Targets};

use crate::astra::document::Shapes;
use crate::astra::media::{JSON, Media};
use crate::astra::metadata::{self, with_metadata_paths};
use crate::astra::reply::ListType;
use crate::astra::row::{Part, Row};
use crate::astra::schema::{BOOLEAN, Kind, LABEL, METADATA, Member, members};
use crate::containers::{self, show_criteria};
use tenterhook_query::astra::Vocabulary;

const TYPE: &str = "application/astra-executionHook";
const VERSIONS: &[&str] = &["1.0", "1.1", "1.2", "1.3"];
const VERSION: &str = "1.3";

pub(super) const LIST: ListType = ListType {
    name: "application/astra-executionHooks",
    version: VERSION,
};

pub(super) const MEDIA: Media = Media {
    one: &[JSON, "application/astra-executionHook+json"],
    list: &[
        JSON,
        "application/astra-executionHooks+json",
        "application/astra-executionHook+json",
    ],
};

/// Any text, for what is only ever replied.
const TEXT: Kind = Kind::Text {
    min: 0,
    max: usize::MAX,
};

const CRITERION: Kind = Kind::Object(members! {
    "type": Kind::OneOf(&["containerImage", "containerName", "podName", "podLabel", "namespaceName"]),
        Must Must Must;
    "value": TEXT, Must Must Must;
});

const CONTAINER: Kind = Kind::Object(members! {
    "podName": TEXT, Never Never Must;
    "podLabels": Kind::List { of: &LABEL, max: usize::MAX, unique: false }, Never Never Must;
    "containerImage": TEXT, Never Never Must;
    "containerName": TEXT, Never Never Must;
    "namespaceName": TEXT, Never Never Must;
});

pub(super) const MEMBERS: &[Member] = members! {
    "type": Kind::OneOf(&[TYPE]), Must Must Must;
    "version": Kind::OneOf(VERSIONS), Must Must Must;
    "id": Kind::Identifier, Never May Must;
    "name": Kind::Text { min: 1, max: 63 }, Must May Must;
    "hookType": Kind::OneOf(&["netapp", "custom"]), Must May Must;
    "matchingCriteria": Kind::List { of: &CRITERION, max: 10, unique: true }, May May Must;
    "action": Kind::OneOf(&["snapshot", "backup", "restore", "failover"]), Must May Must;
    "stage": Kind::OneOf(&["pre", "post"]), Must May Must;
    "hookSourceID": Kind::Identifier, Must May Must;
    "arguments": Kind::List { of: &Kind::Text { min: 0, max: 127 }, max: 16, unique: true }, May May May;
    "appID": Kind::Identifier, Must May May;
    "enabled": BOOLEAN, May May Must;
    "description": Kind::Text { min: 0, max: 511 }, May May May;
    "metadata": METADATA, May May Must;
    "matchingContainers": Kind::List { of: &CONTAINER, max: usize::MAX, unique: false }, Never Never May;
    "matchingImages": Kind::List { of: &TEXT, max: usize::MAX, unique: true }, Never Never May;
};

pub(super) const WORDS: Vocabulary = Vocabulary {
    members: &[
        "type",
        "version",
        "id",
        "name",
        "hookType",
        "matchingCriteria",
        "action",
        "stage",
        "hookSourceID",
        "arguments",
        "appID",
        "enabled",
        "description",
        "metadata",
        "matchingContainers",
        "matchingImages",
    ],
    paths: with_metadata_paths!(
        "type",
        "version",
        "id",
        "name",
        "hookType",
        "matchingCriteria[*].type",
        "matchingCriteria[*].value",
        "action",
        "stage",
        "hookSourceID",
        "arguments[*]",
        "appID",
        "enabled",
        "description",
    ),
};

/// How the OpenAPI document describes execution hooks.
pub(super) fn shapes() -> Shapes {
    Shapes::new("ExecutionHook", MEMBERS, LIST, MEDIA)
}

/// A hook as an execution hook, as one reader sees it.
pub(super) struct View<'a> {
    hook: &'a Hook,
    reader: Role,
    name: &'a str,
    pub(super) action: &'a str,
    pub(super) stage: &'a str,
    pub(super) app: Option<AppId>,
    pub(super) criteria: &'a [Criterion],
}

impl<'a> View<'a> {
    /// `None` if it has no name or does not run for containers.
    pub(super) fn of(hook: &'a Hook, reader: Role) -> Option<Self> {
        let Targets::Containers { app, criteria } = &hook.targets else {
            return None;
        };
        let (action, stage) = hook.event.as_str().split_once('.')?;
        Some(Self {
            name: hook.name.as_deref()?,
            action,
            stage,
            app: *app,
            criteria,
            hook,
            reader,
        })
    }

    /// The resource, with the containers that it matches if they are given.
    pub(super) fn row(&self, containers: Option<&[Container]>) -> Row {
        let value = |name| match (name, containers) {
            ("matchingContainers", Some(containers)) => {
                let containers = containers.iter().cloned().map(containers::show);
                Some(containers.map(|container| json!(container)).collect())
            }
            ("matchingImages", Some(containers)) => Some(images(containers)),
            (name, _) => self.member(name),
        };
        Row::of(WORDS.members, |name| value(name).map(Part::Json))
    }

    /// One member, except those that are computed.
    pub(super) fn member(&self, name: &str) -> Option<Value> {
        let hook = self.hook;
        Some(match name {
            "type" => TYPE.into(),
            "version" => VERSION.into(),
            "id" => json!(hook.id),
            "name" => self.name.into(),
            "hookType" => if hook.managed { "netapp" } else { "custom" }.into(),
            "matchingCriteria" => json!(show_criteria(self.criteria)),
            "action" => self.action.into(),
            "stage" => self.stage.into(),
            "hookSourceID" => json!(hook.source),
            "arguments" if hook.args.is_empty() || !self.reader.reads_secrets() => return None,
            "arguments" => json!(hook.args),
            "appID" => json!(self.app?),
            "enabled" => hook.enabled.to_string().into(),
            "description" if hook.description.is_empty() => return None,
            "description" => hook.description.as_str().into(),
            "metadata" => metadata::print(
                &hook.labels,
                (hook.created_at, hook.modified_at),
                hook.created_by,
                hook.modified_by,
            ),
            _ => return None,
        })
    }
}

/// The images of these containers, each once.
fn images(containers: &[Container]) -> Value {
    let mut images: Vec<&str> = containers
        .iter()
        .map(|container| container.container_image.as_str())
        .filter(|image| !image.is_empty())
        .collect();
    images.sort_unstable();
    images.dedup();
    json!(images)
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
