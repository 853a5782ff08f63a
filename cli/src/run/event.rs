//! The event that a local run is for: made here, never stored or dispatched.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use bytes::Bytes;
use serde_json::Value;
use tenterhook_dispatch::{EVENT_MAX_BYTES, HookPointName};
use tenterhook_sdk::{Event, contract};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::stdin;
use crate::program_file;

/// The event's type when data came without one.
const DEFAULT_TYPE: &str = "custom.local";

/// Stands where a stored event has its own id: equal input gives an equal run.
const LOCAL_ID: &str = "00000000-0000-0000-0000-000000000000";

/// The event that was asked for, if any; its data is not read yet.
#[derive(Debug)]
pub(super) struct LocalEvent {
    kind: Option<HookPointName>,
    data: Option<PathBuf>,
}

/// What a program is given of its event.
pub(super) struct Given {
    /// The data as JSON, its standard input; `None` when there is none.
    pub(super) data: Option<Bytes>,
    /// The whole event as JSON.
    pub(super) event: Bytes,
    /// The variables that tell of it.
    pub(super) env: Vec<(String, String)>,
}

impl LocalEvent {
    /// Accepts a type of the catalog or a custom one, and the file with its data.
    pub(super) fn new(kind: Option<String>, data: Option<PathBuf>) -> Result<Self, &'static str> {
        let kind = kind.or_else(|| data.is_some().then(|| DEFAULT_TYPE.into()));
        let kind = kind
            .map(|kind| HookPointName::parse(&kind))
            .transpose()
            .map_err(|_| "must be a hook point's name, such as OnAudit, or `custom.` and a name of your own")?;
        Ok(Self { kind, data })
    }

    /// Reads the data and makes the event; `None` when none was asked for.
    pub(super) async fn read(&self, at: SystemTime) -> anyhow::Result<Option<Given>> {
        let Some(kind) = &self.kind else { return Ok(None) };
        let data = match &self.data {
            Some(file) => Some(read_data(file).await?),
            None => None,
        };
        let time = OffsetDateTime::from(at).format(&Rfc3339).context("cannot print the time")?;
        let mut event = Event::new(LOCAL_ID, "/tenterhook/run", kind.as_str(), data);
        event.time = Some(time);
        Ok(Some(Given {
            data: event.data.as_ref().map(|data| data.to_string().into()),
            event: serde_json::to_vec(&event).context("cannot print the event")?.into(),
            env: variables(&event),
        }))
    }
}

async fn read_data(file: &Path) -> anyhow::Result<Value> {
    let json = if file == Path::new("-") {
        stdin::read_all(EVENT_MAX_BYTES).await?
    } else {
        program_file::read_within(file, EVENT_MAX_BYTES as u64)?.into()
    };
    serde_json::from_slice(&json).with_context(|| format!("cannot read the event's data in {} as JSON", file.display()))
}

/// The variables that every hook finds, and one for each member of the data.
fn variables(event: &Event) -> Vec<(String, String)> {
    let mut env: Vec<(String, String)> = [
        (contract::env::EVENT, event.kind.as_str()),
        (contract::env::EVENT_ID, LOCAL_ID),
        (contract::env::EXECUTION_ID, LOCAL_ID),
        (contract::env::ATTEMPT, "1"),
        (contract::env::ACCOUNT_ID, LOCAL_ID),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let members = event.data.as_ref().and_then(Value::as_object);
    for (name, value) in members.into_iter().flatten() {
        let value = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // A variable cannot hold NUL.
        if !value.contains('\0') {
            env.push((format!("{}{}", contract::env::PARAM_PREFIX, contract::upper_snake(name)), value));
        }
    }
    env
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_of_the_data_become_variables() {
        let event = Event::new("1", "/a", "OnAudit", Some(json!({"userName": "ann", "n": 3, "x": null, "l": [1]})));
        let env = variables(&event);
        let value = |name: &str| env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!(value("HOOK_EVENT"), Some("OnAudit"));
        assert_eq!(value("HOOK_PARAM_USER_NAME"), Some("ann"));
        assert_eq!(value("HOOK_PARAM_N"), Some("3"));
        assert_eq!(value("HOOK_PARAM_L"), Some("[1]"));
        assert_eq!(value("HOOK_PARAM_X"), None);
    }

    #[tokio::test]
    async fn without_an_event_a_program_is_given_none() {
        let event = LocalEvent::new(None, None).unwrap();
        assert!(event.read(SystemTime::UNIX_EPOCH).await.unwrap().is_none());
    }
}
