//! Forbids the formatting of a disk that still holds data.
//!
//! Event: `PreFormatDisk`, with data such as `{"device": "/dev/sdc", "usedBytes": 0}`.
//! Leaves a verdict. An event that does not say how much is on the disk is refused
//! too: its usage is unknown.

use serde::Deserialize;
use tenterhook_sdk::{Data, Event, Verdict, hook};

/// What the event says of the disk.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Disk {
    device: Option<String>,
    used_bytes: Option<u64>,
}

#[hook]
fn guard(Data(disk): Data<Disk>, event: &Event) -> Verdict {
    let device = disk.device.as_deref().or(event.subject.as_deref());
    let device = device.unwrap_or("the disk");
    let (verdict, reason) = match disk.used_bytes {
        Some(0) => (Verdict::allow(), format!("{device} is empty")),
        Some(bytes) => (
            Verdict::deny("").with("usedBytes", bytes),
            format!("{device} still holds {bytes} bytes"),
        ),
        None => (
            Verdict::deny(""),
            format!("the event does not say what is on {device}"),
        ),
    };
    println!("{reason}");
    verdict.because(reason)
}

#[cfg(test)]
mod tests {
    use tenterhook_sdk::testing::{Case, Outcome};

    use super::*;

    fn outcome(data: &str) -> Outcome {
        let json = format!(
            r#"{{"specversion":"1.0","id":"1","source":"/a","type":"PreFormatDisk","subject":"sdc","data":{data}}}"#
        );
        Case::json(&json).run(guard)
    }

    #[test]
    fn an_empty_disk_may_be_formatted() {
        assert!(outcome(r#"{"usedBytes":0}"#).allowed());
    }

    #[test]
    fn a_disk_with_data_may_not() {
        let outcome = outcome(r#"{"device":"/dev/sdc","usedBytes":7}"#);
        assert_eq!(outcome.denied(), Some("/dev/sdc still holds 7 bytes"));
        assert_eq!(outcome.verdict.unwrap().details["usedBytes"], 7);
    }

    #[test]
    fn an_event_that_does_not_say_is_no_reason_to_format() {
        assert_eq!(
            outcome("{}").denied(),
            Some("the event does not say what is on sdc")
        );
    }

    #[test]
    fn the_sample_events_are_judged_as_they_are_named() {
        let run = |event| Case::json(event).run(guard);
        assert!(run(include_str!("../tests/empty.event.json")).allowed());
        assert!(
            run(include_str!("../tests/in-use.event.json"))
                .denied()
                .is_some()
        );
        assert!(
            run(include_str!("../tests/nobody-looked.event.json"))
                .denied()
                .is_some()
        );
        let odd = run(include_str!("../tests/odd.event.json"));
        assert_eq!(odd.status, 2);
        assert!(odd.error.unwrap().starts_with("`data.usedBytes`"));
    }
}
