//! The event that a local run is for: made here, never stored or dispatched.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use serde_json::Value;
use tenterhook_dispatch::{EVENT_MAX_BYTES, HookPointName};
use tenterhook_sdk::Event;
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
    pub(super) async fn read(
        &self,
        at: SystemTime,
    ) -> anyhow::Result<Option<(Event, &HookPointName)>> {
        let Some(kind) = &self.kind else {
            return Ok(None);
        };
        let data = match &self.data {
            Some(file) => Some(read_data(file).await?),
            None => None,
        };
        let time = OffsetDateTime::from(at)
            .format(&Rfc3339)
            .context("cannot print the time")?;
        let mut event = Event::new(LOCAL_ID, "/tenterhook/run", kind.as_str(), data);
        event.time = Some(time);
        Ok(Some((event, kind)))
    }
}

async fn read_data(file: &Path) -> anyhow::Result<Value> {
    let json = if file == Path::new("-") {
        stdin::read_all(EVENT_MAX_BYTES).await?
    } else {
        program_file::read_within(file, EVENT_MAX_BYTES as u64)?.into()
    };
    serde_json::from_slice(&json)
        .with_context(|| format!("cannot read the event's data in {} as JSON", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_an_event_a_program_is_given_none() {
        let event = LocalEvent::new(None, None).unwrap();
        assert!(event.read(SystemTime::UNIX_EPOCH).await.unwrap().is_none());
    }

    #[test]
    fn data_without_a_type_is_a_local_event() {
        let event = LocalEvent::new(None, Some("-".into())).unwrap();
        assert_eq!(event.kind.unwrap().as_str(), DEFAULT_TYPE);
    }
}
