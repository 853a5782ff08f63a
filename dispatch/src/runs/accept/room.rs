//! How many executions one request may cause, counted while they are planned, so
//! that no plan is larger than the bound. Not how many may run at one time.

use crate::error::Error;
use crate::runs::plan::TooMany;
use crate::settings::Settings;

/// What is left of a request's executions.
pub(super) struct Room {
    per_event: usize,
    per_request: usize,
    /// Events that have been planned, and what they cause.
    events: usize,
    planned: usize,
}

impl Room {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            per_event: settings.executions_per_event,
            per_request: settings.executions_per_request,
            events: 0,
            planned: 0,
        }
    }

    /// The most that the next event may cause.
    pub(super) fn most(&self) -> usize {
        self.per_event.min(self.per_request - self.planned)
    }

    /// Counts what the next event causes, which [`most`](Self::most) has allowed.
    pub(super) fn take(&mut self, executions: usize) {
        self.events += 1;
        self.planned = (self.planned + executions).min(self.per_request);
    }

    /// Why the next event cannot be planned: it is too much alone, or together with
    /// those before it. In the latter case the fault is not in the event.
    pub(super) fn refuse(&self, _: TooMany) -> Error {
        let most = self.most();
        if self.planned == 0 || most == self.per_event {
            return Error::invalid(
                "type",
                format!(
                    "would cause more than {most} executions, the most that one event may cause; name one \
                     server, or bind fewer hooks to it"
                ),
            );
        }
        Error::invalid(
            "events",
            format!(
                "would cause more than {} executions, the most that one request may cause: the first {} of them \
                 cause {} already; send fewer events in one request",
                self.per_request, self.events, self.planned
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> Room {
        Room::of(&Settings {
            executions_per_event: 10,
            executions_per_request: 25,
            ..Settings::default()
        })
    }

    fn field_and_reason(room: &Room) -> (String, String) {
        match room.refuse(TooMany) {
            Error::Invalid { field, reason } => (field, reason),
            error => panic!("{error}"),
        }
    }

    #[test]
    fn a_single_oversized_event_is_refused_for_its_type() {
        let mut room = room();
        assert_eq!(room.most(), 10);
        assert_eq!(field_and_reason(&room).0, "type");
        room.take(10);
        assert_eq!(field_and_reason(&room).0, "type");
    }

    #[test]
    fn events_that_are_too_large_together_are_refused_as_a_whole() {
        let mut room = room();
        room.take(10);
        room.take(10);
        assert_eq!(room.most(), 5);
        let (field, reason) = field_and_reason(&room);
        assert_eq!(field, "events");
        for part in ["more than 25", "first 2 of them cause 20", "send fewer"] {
            assert!(reason.contains(part), "{part}: {reason}");
        }
    }
}
