//! The steps of one holder that wait for a turn, and which of them is next.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use parking_lot::Mutex;

/// Of so many turns of a line, one goes to the step that has waited longest in it.
const OLDEST_EVERY: u32 = 4;

/// What a holder has had, and has.
#[derive(Clone, Copy, Default)]
pub(super) struct Share {
    pub(super) served: Duration,
    pub(super) taken: usize,
}

/// What one holder takes.
#[derive(Default)]
pub(super) struct Line {
    pub(super) share: Share,
    /// Time that those of its connections which are served next have been served.
    pub(super) level: Duration,
    pub(super) waiting: BTreeMap<LinePosition, Arc<Mutex<Ticket>>>,
    /// The same positions in order of arrival.
    pub(super) arrivals: BTreeMap<u64, Duration>,
    /// How many were called.
    called: u32,
}

impl Line {
    pub(super) fn insert(&mut self, place: LinePosition, ticket: Arc<Mutex<Ticket>>) {
        self.arrivals.insert(place.1, place.0);
        self.waiting.insert(place, ticket);
    }

    pub(super) fn remove(&mut self, place: LinePosition) -> Option<Arc<Mutex<Ticket>>> {
        self.arrivals.remove(&place.1);
        self.waiting.remove(&place)
    }

    /// Takes out whose turn it is.
    pub(super) fn pop(&mut self) -> Option<(Duration, Arc<Mutex<Ticket>>)> {
        self.called = self.called.wrapping_add(1);
        let place = match is_for_the_oldest(self.called) {
            true => self
                .arrivals
                .first_key_value()
                .map(|(n, served)| (*served, *n)),
            false => self.waiting.first_key_value().map(|(place, _)| *place),
        }?;
        let ticket = self.remove(place)?;
        Some((place.0, ticket))
    }
}

/// A connection's place among those of its holder: the time for which it was served, and
/// among equals the arrival.
pub(super) type LinePosition = (Duration, u64);

/// Whether a step has its turn.
pub(super) enum Ticket {
    Waiting(Waker),
    /// The turn is taken for it.
    Called,
}

/// Whether the turn has come; else the waker to wake then.
pub(super) fn is_called(ticket: &Mutex<Ticket>, waker: &Waker) -> bool {
    match &mut *ticket.lock() {
        Ticket::Called => true,
        Ticket::Waiting(waiting) => {
            waiting.clone_from(waker);
            false
        }
    }
}

pub(super) fn is_for_the_oldest(called: u32) -> bool {
    called.is_multiple_of(OLDEST_EVERY)
}
