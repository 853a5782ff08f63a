//! Any bytes as an event in the structured form: refused in one plain line, or
//! an event that keeps the rules and is read back as it was printed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tenterhook_fuzz::assert_is_one_plain_line;
use tenterhook_sdk::Event;

fuzz_target!(|bytes: &[u8]| {
    match Event::parse(bytes) {
        Ok(event) => check_accepted(&event),
        Err(fault) => assert_is_one_plain_line(&fault.to_string()),
    }
});

fn check_accepted(event: &Event) {
    assert_eq!(event.specversion, "1.0");
    for text in [&event.id, &event.source, &event.kind] {
        assert!((1..=1024).contains(&text.len()));
        assert!(!text.contains(char::is_control));
    }
    assert!(event.data.is_none() || event.data_base64.is_none());
    let printed = serde_json::to_value(event).expect("an event can be printed");
    let text = serde_json::to_vec(event).expect("an event can be printed");
    let again = Event::parse(&text).expect("what was printed is an event");
    let again = serde_json::to_value(again).expect("an event can be printed");
    assert!(same(&printed, &again), "{printed}\n{again}");
}

/// Equality, but for the last digit of a number with a fraction, which JSON does
/// not keep.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            let (a, b) = (a.as_f64(), b.as_f64());
            let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
            (a - b).abs() <= a.abs() * 1e-12
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|((name, a), (other, b))| name == other && same(a, b))
        }
        (a, b) => a == b,
    }
}
