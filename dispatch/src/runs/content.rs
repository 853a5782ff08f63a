//! What makes two events the same: everything that their sender wrote, except the time and
//! the trace.

use tenterhook_engine::Digest;

use crate::runs::event::ReceivedEvent;

/// Extension attributes that differ each time an event is sent.
const TRACE: [&str; 2] = ["traceparent", "tracestate"];

/// Returns the digest of an event's content. The event is left as it was.
pub(crate) fn digest(event: &mut ReceivedEvent) -> Digest {
    let attributes = event.attributes_mut();
    let time = attributes.time.take();
    let trace = TRACE.map(|name| attributes.extensions.remove(name));
    let json = event.to_json();
    let attributes = event.attributes_mut();
    attributes.time = time;
    for (name, value) in TRACE.into_iter().zip(trace) {
        if let Some(value) = value {
            attributes.extensions.insert(name.to_owned(), value);
        }
    }
    Digest::of(json.as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tenterhook_sdk::Event;

    use super::*;

    fn event() -> Event {
        let mut event = Event::new("1", "/s", "custom.x", Some(json!({"a": 1})));
        event.time = Some("2026-03-10T16:15:50Z".into());
        event.extensions.insert("traceparent".into(), "00-a".into());
        event.extensions.insert("serverid".into(), 1.into());
        event
    }

    fn digest_of(event: Event) -> Digest {
        let mut received = ReceivedEvent::try_from(event).unwrap();
        let before = received.clone();
        let digest = digest(&mut received);
        assert_eq!(received, before);
        digest
    }

    #[test]
    fn an_event_is_the_same_at_another_time_and_on_another_trace() {
        let mut again = event();
        again.time = None;
        again.extensions.insert("traceparent".into(), "00-b".into());
        again.extensions.insert("tracestate".into(), "c".into());
        assert_eq!(digest_of(again), digest_of(event()));
    }

    #[test]
    fn an_event_with_any_other_difference_is_another() {
        let first = digest_of(event());
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
            assert_ne!(digest_of(other), first);
        }
    }
}
