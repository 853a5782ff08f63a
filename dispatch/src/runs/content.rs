//! What makes two events the same: all that their sender said, but when and on which trace.

use tenterhook_engine::Digest;
use tenterhook_sdk::Event;

/// Extension attributes that differ each time an event is sent.
const TRACE: [&str; 2] = ["traceparent", "tracestate"];

/// Returns the digest of an event's content. The event is left as it was.
pub(crate) fn digest(event: &mut Event) -> Digest {
    let time = event.time.take();
    let trace = TRACE.map(|name| event.extensions.remove(name));
    let json = serde_json::to_vec(event).expect("an event holds nothing that JSON cannot say");
    event.time = time;
    for (name, value) in TRACE.into_iter().zip(trace) {
        if let Some(value) = value {
            event.extensions.insert(name.to_owned(), value);
        }
    }
    Digest::of(&json)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> Event {
        let mut event = Event::new("1", "/s", "custom.x", Some(json!({"a": 1})));
        event.time = Some("2026-03-10T16:15:50Z".into());
        event.extensions.insert("traceparent".into(), "00-a".into());
        event.extensions.insert("serverid".into(), 1.into());
        event
    }

    #[test]
    fn an_event_is_the_same_at_another_time_and_on_another_trace() {
        let first = digest(&mut event());
        let mut again = event();
        again.time = None;
        again.extensions.insert("traceparent".into(), "00-b".into());
        again.extensions.insert("tracestate".into(), "c".into());
        let before = again.clone();
        assert_eq!(digest(&mut again), first);
        assert_eq!(again, before);
    }

    #[test]
    fn an_event_with_anything_else_that_differs_is_another() {
        let first = digest(&mut event());
        let changes: [fn(&mut Event); 5] = [
            |event| event.data = Some(json!({"a": 2})),
            |event| event.kind = "custom.y".into(),
            |event| event.subject = Some("s".into()),
            |event| event.datacontenttype = Some("text/plain".into()),
            |event| {
                event.extensions.insert("serverid".into(), 2.into());
            },
        ];
        for change in changes {
            let mut other = event();
            change(&mut other);
            assert_ne!(digest(&mut other), first);
        }
    }
}
