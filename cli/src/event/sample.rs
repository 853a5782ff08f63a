//! A sample event, and the assignments that change its data.

use std::collections::BTreeMap;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use tenterhook_dispatch::{HookPoint, HookPointName, ParameterType};
use tenterhook_sdk::Event;
use time::format_description::well_known::Rfc3339;

/// The `source` of sample events.
const SOURCE: &str = "/tenterhook/event";

/// Creates a sample event; that of a custom hook point has empty data.
pub(crate) fn sample(name: &HookPointName, id: String, time: Option<String>) -> Event {
    let data = name.point().map_or_else(Map::new, HookPoint::sample_data);
    let mut event = Event::new(id, SOURCE, name.as_str(), Some(Value::Object(data)));
    event.time = time;
    event
}

/// Returns the present time, to the second.
pub(super) fn now() -> String {
    let now = tenterhook_dispatch::now();
    let now = now.replace_nanosecond(0).expect("0 is a nanosecond");
    now.format(&Rfc3339).expect("the present can be printed")
}

/// What to write in place of a text that is not a time.
const WRONG_TIME: &str = "must be a time such as 2026-03-10T16:15:50Z, with a T and no space";

pub(super) fn parse_time(text: &str) -> Result<String, &'static str> {
    tenterhook_api::parse_time(text)
        .map(|_| text.to_owned())
        .ok_or(WRONG_TIME)
}

/// Parses `NAME=VALUE`s as members of the data of this hook point's events. A value that is
/// JSON keeps its text; of a repeated name, the last counts.
pub(crate) fn assignments(
    point: Option<&HookPoint>,
    texts: &[String],
) -> Result<BTreeMap<String, Box<RawValue>>, String> {
    texts.iter().map(|text| assignment(point, text)).collect()
}

fn assignment(point: Option<&HookPoint>, text: &str) -> Result<(String, Box<RawValue>), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("must be a name and a value, such as serial=WD-1")?;
    let parameter = point.and_then(|point| point.parameters.iter().find(|own| own.name == name));
    let json = serde_json::from_str::<&RawValue>(value).map(ToOwned::to_owned);
    let quoted = || to_raw_value(value).expect("a text can be printed");
    let value = match parameter.map(|own| own.kind) {
        Some(ParameterType::Text) => quoted(),
        Some(kind @ (ParameterType::Number | ParameterType::Boolean | ParameterType::Json)) => {
            let suits = |json: &RawValue| match kind {
                ParameterType::Number => json.get().parse::<u64>().is_ok(),
                ParameterType::Boolean => matches!(json.get(), "true" | "false"),
                ParameterType::Json | ParameterType::Text => json.get().starts_with(['[', '{']),
            };
            json.ok()
                .filter(|json| suits(json))
                .ok_or_else(|| format!("`{name}` must be {kind}"))?
        }
        // What is not JSON is text.
        None => json.unwrap_or_else(|_| quoted()),
    };
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_of_the_type_that_the_catalog_knows() {
        let point = HookPoint::find("PreFormatDisk").unwrap();
        let set = |text: &str| {
            let (_, value) = assignment(Some(point), text)?;
            serde_json::from_str::<Value>(value.get()).map_err(|error| error.to_string())
        };
        for parameter in point.parameters {
            let name = parameter.name;
            match parameter.kind {
                ParameterType::Text => assert_eq!(set(&format!("{name}=7")), Ok(json!("7"))),
                ParameterType::Number => {
                    assert_eq!(set(&format!("{name}=7")), Ok(json!(7)));
                    assert!(
                        set(&format!("{name}=x"))
                            .unwrap_err()
                            .contains("whole number")
                    );
                }
                ParameterType::Boolean => assert!(set(&format!("{name}=7")).is_err()),
                ParameterType::Json => {
                    assert_eq!(set(&format!("{name}=[1]")), Ok(json!([1])));
                }
            }
        }
        let price = assignment(Some(point), "price=1.10").unwrap().1;
        assert_eq!(price.get(), "1.10");
        assert_eq!(set("other=[1]"), Ok(json!([1])));
        assert_eq!(set("other=a=b"), Ok(json!("a=b")));
        assert!(set("other").is_err() && set("=x").is_err());
    }

    #[test]
    fn every_hook_point_has_a_sample_that_a_server_accepts() {
        for point in HookPoint::catalog() {
            let name = HookPointName::parse(point.name).unwrap();
            let event = sample(&name, "e1".into(), Some(now()));
            event.check().unwrap();
            let text = serde_json::to_vec(&event).unwrap();
            assert!(text.len() < tenterhook_dispatch::EVENT_MAX_BYTES);
            assert_eq!(Event::parse(&text).unwrap(), event, "{}", point.name);
        }
    }
}
