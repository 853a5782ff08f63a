//! What a new project's hook checks: one member of its event, which it compares with a list
//! of protected values.
//!
//! The check is the same in every language and for every hook point, and so are the sample
//! events and their expectations.

use anyhow::bail;
use serde_json::{Map, Value, json};
use tenterhook_dispatch::{HookPoint, HookPointName, Parameter, ParameterType};
use tenterhook_sdk::contract;

use crate::event::{misspelt, parse_name};

/// Members that best describe what an event is about, in order of preference.
const PREFERRED_MEMBERS: &[&str] = &["serial", "appName", "username", "tag", "host"];

/// The member for hook points whose events the catalog does not document.
const FALLBACK_MEMBER: &str = "name";

/// What a new hook checks.
pub(super) struct Subject {
    /// The hook point.
    pub(super) event: HookPointName,
    /// The member of its events that the hook checks.
    pub(super) member: String,
    /// A value that is not protected.
    pub(super) allowed: Value,
    /// A value that is.
    pub(super) denied: Value,
}

impl Subject {
    /// Chooses the member for the events of the hook point of this name.
    ///
    /// # Errors
    ///
    /// There is no such hook point.
    pub(super) fn of(event: &str) -> anyhow::Result<Self> {
        let Ok(event) = parse_name(event) else {
            match misspelt(event) {
                Some(near) => bail!("no such hook point: {event:?}; did you mean {near}?"),
                None => bail!(
                    "no such hook point: {event:?}; `tenterhook event` lists them, a type with a dot is \
                     another producer's, and `custom.` and a name is one of your own"
                ),
            }
        };
        let parameter = event.point().and_then(describing_parameter);
        let (member, allowed) = match parameter {
            Some(parameter) => (parameter.name.to_owned(), parameter.sample_value()),
            None => (FALLBACK_MEMBER.to_owned(), json!("example")),
        };
        let denied = match allowed.as_u64() {
            Some(number) => json!(number + 1),
            None => json!("KEEP-1"),
        };
        Ok(Self {
            event,
            member,
            allowed,
            denied,
        })
    }

    /// The environment variable that holds the member.
    pub(super) fn variable(&self) -> String {
        let name = contract::upper_snake(&self.member);
        format!("{}{name}", contract::env::PARAM_PREFIX)
    }

    /// Whether the catalog documents the member.
    pub(super) fn is_documented(&self) -> bool {
        self.event.point().and_then(describing_parameter).is_some()
    }

    /// The sample events and their expectations: file names and contents.
    pub(super) fn tests(&self) -> Vec<(String, String)> {
        let mut files = Vec::new();
        for (name, value, denies) in [
            ("allowed", &self.allowed, false),
            ("denied", &self.denied, true),
        ] {
            let text = text(value);
            let member = &self.member;
            let expected = match denies {
                // Denying is not a failure: the status is 0 in both cases.
                true => json!({
                    "status": 0,
                    "verdict": {"allow": false, "reason": format!("{member} {text} is protected")},
                }),
                false => json!({"status": 0, "verdict": {"allow": true}}),
            };
            files.push((
                format!("{name}.event.json"),
                pretty(&self.sample(name, value)),
            ));
            files.push((format!("{name}.expect.json"), pretty(&expected)));
        }
        files
    }

    /// A complete event whose member has this value.
    fn sample(&self, id: &str, value: &Value) -> Value {
        let mut data = self
            .event
            .point()
            .map_or_else(Map::new, HookPoint::sample_data);
        data.insert(self.member.clone(), value.clone());
        json!({
            "specversion": "1.0",
            "id": id,
            "source": "/tests",
            "type": self.event.as_str(),
            "time": "2026-03-10T16:15:50Z",
            "data": data,
        })
    }
}

/// Formats a value as in an environment variable.
pub(super) fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns the required parameter that best describes what an event is about.
fn describing_parameter(point: &'static HookPoint) -> Option<&'static Parameter> {
    let candidates: Vec<_> = point
        .parameters
        .iter()
        .filter(|p| p.required && matches!(p.kind, ParameterType::Text | ParameterType::Number))
        .collect();
    let best = |name: &&str| candidates.iter().find(|p| p.name == *name).copied();
    PREFERRED_MEMBERS
        .iter()
        .find_map(best)
        .or_else(|| candidates.first().copied())
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("a value is JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use tenterhook_sdk::Event;

    use super::*;

    #[test]
    fn a_disk_is_identified_by_its_serial_number() {
        let subject = Subject::of("PreFormatDisk").unwrap();
        assert_eq!(subject.member, "serial");
        assert_eq!(subject.variable(), "HOOK_PARAM_SERIAL");
        assert_eq!(subject.tests().len(), 4);
    }

    #[test]
    fn every_hook_point_has_a_subject_with_valid_sample_events() {
        let own = HookPointName::parse("custom.deployed").unwrap();
        let names = HookPoint::catalog().map(|point| point.name);
        for name in names.chain([own.as_str()]) {
            let subject = Subject::of(name).unwrap();
            assert_ne!(subject.allowed, subject.denied);
            for (file, text) in subject.tests() {
                if file.ends_with(".event.json") {
                    Event::parse(text.as_bytes()).unwrap();
                }
            }
        }
    }

    #[test]
    fn values_are_harmless_in_every_language() {
        let plain = |text: &str| {
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/'))
        };
        for point in HookPoint::catalog() {
            let subject = Subject::of(point.name).unwrap();
            for value in [&subject.allowed, &subject.denied] {
                assert!(plain(&text(value)), "{} {value}", point.name);
            }
            assert!(plain(&subject.member) && plain(point.name));
        }
    }

    #[test]
    fn an_unknown_hook_point_is_refused_with_the_closest_match() {
        let error = |name| Subject::of(name).err().unwrap().to_string();
        assert!(error("PreFormat").ends_with("did you mean PreFormatDisk?"));
        assert!(error("???").contains("tenterhook event"));
    }
}
