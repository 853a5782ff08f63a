//! The event of a local run: built or read here, never stored or dispatched.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use bytes::Bytes;
use tenterhook_dispatch::{EVENT_MAX_BYTES, EventData, HookPointName, ReceivedEvent};
use tenterhook_sdk::Event;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::program_file::without_bom;
use crate::{event, own_thread, program_file, stdin};

/// The event's type if data is given without one.
const DEFAULT_TYPE: &str = "custom.local";

/// The id of events that are built here, always the same so that equal input gives equal runs.
const LOCAL_ID: &str = "00000000-0000-0000-0000-000000000000";

/// The requested event, if any; nothing is read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LocalEvent {
    /// No event.
    None,
    /// An event of this type, with this data.
    Of(HookPointName, Data),
    /// A complete event from this file; `-` is standard input.
    Whole(PathBuf),
}

/// Where the data of an event comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    /// From the catalog; a custom event has none.
    Sample,
    /// From this file; `-` is standard input.
    File(PathBuf),
}

/// An event that has been read, for a run.
pub(crate) struct EventInput {
    pub(crate) event: ReceivedEvent,
    pub(crate) name: HookPointName,
    /// What the program reads on standard input.
    pub(crate) stdin: Stdin,
}

/// What a program reads on standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stdin {
    /// The event's data.
    Data,
    /// What is piped in, or the event's data if that is empty.
    PipedOrData,
}

impl LocalEvent {
    /// Accepts `--event`, a hook point's name or a file with a complete event, and
    /// `--data`, a file with data.
    ///
    /// What ends in `.json`, contains a slash or is `-` is a file; so is an existing file
    /// whose name is not a hook point's.
    pub(crate) fn new(asked: Option<String>, data: Option<PathBuf>) -> Result<Self, String> {
        let Some(asked) = asked else {
            return Ok(data.map_or(Self::None, |data| {
                let name = HookPointName::parse(DEFAULT_TYPE).expect("it is a custom one");
                Self::Of(name, Data::File(data))
            }));
        };
        let names_a_file = asked == "-" || asked.contains('/') || asked.ends_with(".json");
        let name = match event::parse_name(&asked) {
            // A file whose name has a dot could be another producer's type.
            Ok(name) if !names_a_file && (is_ours(&name) || !Path::new(&asked).exists()) => {
                Ok(name)
            }
            Err(_) if names_a_file || Path::new(&asked).exists() => Err(None),
            Err(fault) => Err(Some(fault)),
            Ok(_) => Err(None),
        };
        match (name, data) {
            (Ok(name), Some(file)) => Ok(Self::Of(name, Data::File(file))),
            (Ok(name), None) => Ok(Self::Of(name, Data::Sample)),
            (Err(Some(fault)), _) => Err(format!(
                "{fault}; a file with a complete event ends in `.json`"
            )),
            (Err(None), Some(_)) => {
                Err("is a file with a complete event, which has its own data; \
                 omit `--data`, or name a hook point"
                    .into())
            }
            (Err(None), None) => Ok(Self::Whole(asked.into())),
        }
    }

    /// Reads or builds the event; `None` if none was requested.
    pub(crate) async fn read(&self, at: SystemTime) -> anyhow::Result<Option<EventInput>> {
        Ok(match self {
            Self::None => None,
            Self::Of(name, data) => Some(build_event(name, data, at).await?),
            Self::Whole(file) => Some(read_event(file).await?),
        })
    }

    /// Returns a note if the run uses sample data: a user who named only a hook point may not
    /// expect that.
    pub(crate) fn note(&self) -> Option<String> {
        match self {
            Self::Of(name, Data::Sample) if name.point().is_some() => {
                let name = name.as_str();
                Some(format!(
                    "the event is the catalog's sample of {name}; `tenterhook event {name}` prints \
                     one to change, for `--event FILE`"
                ))
            }
            _ => None,
        }
    }
}

/// Whether a name is of the catalog or a tenant's own.
fn is_ours(name: &HookPointName) -> bool {
    name.point().is_some() || name.as_str().starts_with("custom.")
}

async fn build_event(
    name: &HookPointName,
    data: &Data,
    at: SystemTime,
) -> anyhow::Result<EventInput> {
    let (data, stdin) = match data {
        Data::Sample => {
            let sample = name.point().map(|point| {
                let data = serde_json::Value::from(point.sample_data()).to_string();
                EventData::json(data.into()).expect("a sample is printed as JSON")
            });
            (sample, Stdin::PipedOrData)
        }
        Data::File(file) => {
            let data = EventData::json(without_bom(&bytes(file).await?).to_vec().into())
                .with_context(|| {
                    format!("cannot read the event's data in {} as JSON", file.display())
                })?;
            (Some(data), Stdin::Data)
        }
    };
    let time = OffsetDateTime::from(at)
        .format(&Rfc3339)
        .context("cannot print the time")?;
    let mut attributes = Event::new(LOCAL_ID, "/tenterhook/run", name.as_str(), None);
    attributes.time = Some(time);
    Ok(EventInput {
        event: ReceivedEvent::new(attributes, data).context("cannot use the event's data")?,
        name: name.clone(),
        stdin,
    })
}

async fn read_event(file: &Path) -> anyhow::Result<EventInput> {
    let cannot = || format!("cannot use the event in {}", file.display());
    let event = ReceivedEvent::parse(without_bom(&bytes(file).await?)).with_context(cannot)?;
    let name = event::parse_type(&event.attributes().kind)
        .map_err(|fault| anyhow::anyhow!("`type` {fault}"))
        .with_context(cannot)?;
    Ok(EventInput {
        event,
        name,
        stdin: Stdin::Data,
    })
}

async fn bytes(file: &Path) -> anyhow::Result<Bytes> {
    if file == Path::new("-") {
        return stdin::read_all(EVENT_MAX_BYTES).await;
    }
    let file = file.to_owned();
    let read = move || program_file::read_bounded(&file, EVENT_MAX_BYTES as u64);
    Ok(own_thread::run("event", read).await??.into())
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
        let LocalEvent::Of(name, Data::File(_)) = event else {
            panic!("{event:?}");
        };
        assert_eq!(name.as_str(), DEFAULT_TYPE);
    }

    #[test]
    fn a_name_is_distinguished_from_a_file() {
        let of = |asked: &str| LocalEvent::new(Some(asked.into()), None);
        for file in [
            "-",
            "tests/first.event.json",
            "event.json",
            "./OnAudit",
            "custom.x.json",
        ] {
            assert_eq!(of(file), Ok(LocalEvent::Whole(file.into())));
        }
        for name in ["OnAudit", "custom.deployed"] {
            assert!(matches!(of(name), Ok(LocalEvent::Of(_, Data::Sample))));
        }
        let fault = of("OnAuditt").unwrap_err();
        assert!(fault.contains("did you mean OnAudit?"), "{fault}");
        let both = LocalEvent::new(Some("a.json".into()), Some("-".into()));
        assert!(both.unwrap_err().contains("omit `--data`"));
    }
}
