use std::error::Error;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::events::{OnAudit, OnHealthRecover, PreFormatDisk};
use crate::{Data, info};

#[test]
fn functions_of_all_shapes_are_hooks() {
    let case = Case::sample::<OnAudit>();
    assert!(case.run(|| ()).allowed());
    assert!(case.run(|_: Event| Verdict::allow()).allowed());
    assert!(case.run(|_: &Event| Some(Verdict::allow())).allowed());
    assert!(case.run(|_: OnAudit| Ok::<(), String>(())).allowed());
    assert!(case.run(|_: Data<Value>, _: &Hook| ()).allowed());
    assert!(case.run(|_: &Hook, _: OnAudit| 0).allowed());
    fn borrows(hook: &Hook) -> Result<Verdict, Box<dyn Error>> {
        Ok(Verdict::deny(hook.param("username")?))
    }
    assert_eq!(case.run(borrows).denied(), Some("ada"));
}

#[test]
fn a_hook_gets_what_the_engine_would_provide() {
    let data = json!({"newStatus": "HEALTH_OK", "durationSeconds": 7, "extra": true});
    let case = Case::custom("OnHealthRecover", data)
        .arg("own")
        .arg("second")
        .attempt(2)
        .server(7, "node-7");
    let hook = case.hook();
    assert_eq!(hook.args(), ["own", "second", "", "HEALTH_OK", "7"]);
    assert_eq!(hook.param("durationSeconds").unwrap(), "7");
    assert_eq!(hook.param("extra").unwrap(), "true");
    assert_eq!(hook.variable("CROIT_NEW_STATUS"), Some("HEALTH_OK"));
    assert_eq!(hook.variable("HOOK_EVENT"), Some("OnHealthRecover"));
    assert_eq!(hook.attempt(), 2);
    assert_eq!(hook.server().unwrap().name, "node-7");
}

#[test]
fn nothing_of_this_process_is_visible() {
    let case = Case::without_event();
    assert_eq!(case.hook().variable("PATH"), None);
    assert!(case.hook().args().is_empty());
}

#[test]
fn an_event_of_another_type_ends_the_hook_with_status_two() {
    let outcome = Case::sample::<OnAudit>().run(|_: OnHealthRecover| ());
    assert_eq!(outcome.status, answer::UNSUITED);
    assert!(!outcome.allowed());
    let error = outcome.error.unwrap();
    assert!(
        error.starts_with("this hook is for OnHealthRecover"),
        "{error}"
    );
}

#[test]
fn data_that_is_not_json_is_for_a_hook_that_takes_the_whole_event() {
    let mut event = Event::new("1", "/t", "custom.x", None);
    assert!(
        Case::event(event.clone())
            .run(|_: Data<Value>| ())
            .allowed()
    );
    event.data_base64 = Some("AAE=".into());
    let case = Case::event(event);
    assert!(case.run(|_: &Event| ()).allowed());
    let error = case.run(|_: Data<Value>| ()).error.unwrap();
    assert!(
        error.starts_with("cannot read the event's data as JSON"),
        "{error}"
    );
}

#[test]
fn a_verdict_that_the_engine_would_reject_is_an_error() {
    let outcome = Case::without_event().run(|| Verdict::deny("x".repeat(100_000)));
    assert_eq!(outcome.status, answer::UNSUITED);
    assert_eq!(outcome.verdict, None);
    assert!(outcome.error.unwrap().contains("no more than 65536"));
}

#[test]
fn log_lines_are_kept_from_the_level_that_the_hook_is_given() {
    let hook = || info!("seen");
    assert_eq!(Case::without_event().run(hook).log.len(), 1);
    let quiet = Case::without_event().env("HOOK_LOG", "error");
    assert!(quiet.run(hook).log.is_empty());
}

#[test]
#[should_panic(expected = "cannot read the event of this test: `type`: is required")]
fn an_invalid_event_file_fails_the_test() {
    let _ = Case::json(r#"{"specversion": "1.0", "id": "1", "source": "/a"}"#);
}

/// Every event type of the catalog is read, from its sample, through a `Case`.
#[test]
fn the_sample_of_every_hook_point_suits_its_type() {
    for point in HookPoint::catalog() {
        let case = Case::custom(point.name, point.sample_data());
        assert_eq!(case.hook().event().unwrap().kind, point.name);
    }
    let sample = PreFormatDisk::sample();
    let taken: PreFormatDisk = Case::of(sample.clone()).hook().take().unwrap();
    assert_eq!(taken, sample);
}

proptest! {
    #[test]
    fn no_event_panics_a_typed_hook(text in "\\{\"[a-z]{0,4}\":.{0,60}", kind in any::<bool>(), value in "null|1|-1|true|\"[a-z0-9]*\"|\\[\\]|\\{\\}") {
        #[derive(Deserialize)]
        struct Own {
            #[expect(dead_code, reason = "it is only read")]
            device: String,
        }
        let kind = if kind { "PreFormatDisk" } else { "custom.x" };
        let json = format!(
            r#"{{"specversion":"1.0","id":"1","source":"/a","type":"{kind}","data":{{"device":{value},"sizeBytes":{value}}}}}"#
        );
        for bytes in [text.as_bytes(), json.as_bytes()] {
            if let Ok(event) = Event::parse(bytes) {
                let case = Case::event(event);
                let _ = case.run(|_: PreFormatDisk| ());
                let _ = case.run(|_: Data<Own>| ());
                let _ = case.run(|hook: &Hook| { let _ = hook.param("device"); });
            }
        }
    }
}
