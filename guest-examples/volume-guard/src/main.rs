//! Forbids the formatting of a disk that still holds data.
//!
//! Event: `PreFormatDisk`, with data such as `{"device": "/dev/sdc", "usedBytes": 0}`.
//! Leaves a verdict, and status 1 when the answer is no. An event that does not
//! say how much is on the disk is refused too: nobody has looked.

use std::process::ExitCode;

use tenterhook_sdk::{Event, Hook, Verdict};

fn main() -> ExitCode {
    let hook = match Hook::open() {
        Ok(hook) => hook,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let verdict = judge(hook.event());
    println!("{}", verdict.reason.as_deref().unwrap_or_default());
    if let Err(error) = hook.answer(&verdict) {
        eprintln!("cannot leave the verdict: {error}");
        return ExitCode::from(2);
    }
    ExitCode::from(u8::from(verdict.allow != Some(true)))
}

/// Whether the disk that the event names may be formatted.
fn judge(event: &Event) -> Verdict {
    let member = |name| event.data.as_ref().and_then(|data| data.get(name));
    let device = member("device").and_then(|device| device.as_str());
    let device = device.or(event.subject.as_deref()).unwrap_or("the disk");
    let used = member("usedBytes").and_then(|bytes| bytes.as_u64());
    match used {
        Some(0) => Verdict {
            reason: Some(format!("{device} is empty")),
            ..Verdict::allow()
        },
        Some(bytes) => {
            Verdict::deny(format!("{device} still holds {bytes} bytes")).with("usedBytes", bytes)
        }
        None => Verdict::deny(format!("the event does not say what is on {device}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(data: &str) -> Verdict {
        let json = format!(
            r#"{{"specversion":"1.0","id":"1","source":"/a","type":"PreFormatDisk","subject":"sdc","data":{data}}}"#
        );
        judge(&Event::parse(json.as_bytes()).unwrap())
    }

    #[test]
    fn an_empty_disk_may_be_formatted() {
        assert_eq!(verdict(r#"{"usedBytes":0}"#).allow, Some(true));
    }

    #[test]
    fn a_disk_with_data_may_not() {
        let verdict = verdict(r#"{"device":"/dev/sdc","usedBytes":7}"#);
        assert_eq!(
            verdict.reason.as_deref(),
            Some("/dev/sdc still holds 7 bytes")
        );
    }

    #[test]
    fn an_event_that_does_not_say_is_no_reason_to_format() {
        let verdict = verdict("{}");
        assert_eq!(
            verdict.reason.as_deref(),
            Some("the event does not say what is on sdc")
        );
    }
}
