//! Reads the body of an execution hook, once it follows its table.

use serde_json::{Map, Value};
use tenterhook_dispatch::{AppId, Criterion, Error, Key, Noun, SourceId};

use super::shape::View;
use crate::astra::ask::Ask;
use crate::astra::identifier;
use crate::astra::metadata::text_in;
use crate::astra::problem::{Problem, Rejection, Row};
use crate::containers::read_criteria;

/// The event that action and stage name together; what the body leaves out is as
/// `old` has it. `None` if it names neither, or not both and there is no old one.
pub(super) fn event(
    body: &Map<String, Value>,
    old: Option<&View<'_>>,
) -> Result<Option<String>, Problem> {
    let (action, stage) = (text_in(body, "action"), text_in(body, "stage"));
    if action.is_none() && stage.is_none() {
        return Ok(None);
    }
    let action = action.or(old.map(|old| old.action));
    let stage = stage.or(old.map(|old| old.stage));
    let (Some(action), Some(stage)) = (action, stage) else {
        return Ok(None);
    };
    if stage == "pre" && matches!(action, "restore" | "failover") {
        let reason = format!("must be \"post\"; there is no stage before a {action}");
        return Err(Problem::field("stage", reason));
    }
    Ok(Some(format!("{action}.{stage}")))
}

/// The hook source that the body names, if any. It must be one of the account.
pub(super) async fn hook_source(
    ask: &Ask,
    body: &Map<String, Value>,
) -> Result<Option<SourceId>, Rejection> {
    let Some(id) = text_in(body, "hookSourceID").and_then(identifier::parse) else {
        return Ok(None);
    };
    let id = SourceId::from_uuid(id);
    match ask
        .app
        .dispatcher()
        .sources()
        .get(ask.account(), Key::Id(id))
        .await
    {
        Ok(source) => Ok(Some(source.id)),
        Err(error @ Error::NotFound { .. }) => Err(refers_to_missing(error)),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn app(body: &Map<String, Value>) -> Option<AppId> {
    text_in(body, "appID")
        .and_then(identifier::parse)
        .map(AppId::from_uuid)
}

pub(super) fn arguments(body: &Map<String, Value>) -> Option<Vec<String>> {
    let list = body.get("arguments")?.as_array()?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Some(list.iter().map(text).collect())
}

pub(super) fn criteria(body: &Map<String, Value>) -> Option<Vec<Criterion>> {
    let list = body.get("matchingCriteria")?;
    // The table admits exactly what this reads.
    serde_json::from_value(list.clone()).ok().map(read_criteria)
}

pub(super) fn enabled(body: &Map<String, Value>) -> Option<bool> {
    text_in(body, "enabled").map(|text| text == "true")
}

/// The rejection of a body that refers to what does not exist.
pub(super) fn refers_to_missing(error: Error) -> Rejection {
    match error {
        Error::NotFound {
            what: Noun::App, ..
        } => Problem::field("appID", "must be the id of an application of this account").into(),
        Error::NotFound {
            what: Noun::Source, ..
        } => Problem::field(
            "hookSourceID",
            "must be the id of a hook source of this account",
        )
        .into(),
        Error::NotReplicated { .. } => Row::NotReplicated.into(),
        Error::ReadOnly { .. } => Row::ManagedHook.into(),
        error => error.into(),
    }
}
