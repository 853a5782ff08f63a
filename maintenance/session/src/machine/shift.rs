//! Waits after the wall clock was set: they go on as if it had not been.
//!
//! What is planned for a date of the calendar is not a wait, and stays.

use time::{Duration, OffsetDateTime};

use crate::progress::Rest;
use crate::round::Ask;
use crate::session::Session;

impl Session {
    /// Adjusts every wait after the wall clock was set by `by`, so that each goes on as
    /// if it had not been. `maintenance_at` is a date of the calendar, and stays.
    pub fn shift(&mut self, by: Duration) {
        let progress = &mut self.progress;
        let moved = |at: OffsetDateTime| at.saturating_add(by);
        let ask_moved = |ask: Ask| Ask {
            at: moved(ask.at),
            due: moved(ask.due),
            ..ask
        };
        progress.ask = progress.ask.map(ask_moved);
        if let Some(current) = &mut progress.current {
            current.at = moved(current.at);
        }
        for member in progress.round.members.values_mut() {
            member.ask = member.ask.map(ask_moved);
            member.leave_by = member.leave_by.map(moved);
        }
        for Rest { until, .. } in &mut progress.rests {
            *until = moved(*until);
        }
    }
}
