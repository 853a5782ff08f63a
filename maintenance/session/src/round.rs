//! One round of questions: what was asked when, and what was answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::reply::InstanceAction;

/// A question that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ask {
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    /// When silence becomes a failure.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) due: OffsetDateTime,
    /// How often a silent project was notified again.
    #[serde(default)]
    pub(crate) reminded: u32,
}

impl Ask {
    pub(crate) fn new(now: OffsetDateTime, wait: Duration) -> Self {
        Self {
            at: now,
            due: now.saturating_add(wait.max(Duration::ZERO)),
            reminded: 0,
        }
    }

    /// How many of `reminders`, sent at even distances, should have been sent at `now`.
    pub(crate) fn reminders_due(&self, reminders: u32, now: OffsetDateTime) -> u32 {
        let span = (self.due - self.at).whole_milliseconds().max(1);
        let passed = (now - self.at).whole_milliseconds().max(0);
        let due = passed.saturating_mul(i128::from(reminders) + 1) / span;
        u32::try_from(due).unwrap_or(u32::MAX).min(reminders)
    }

    /// When to poll again: at the next reminder, or when the answer is due.
    pub(crate) fn poll_at(&self, reminders: u32) -> OffsetDateTime {
        if self.reminded >= reminders {
            return self.due;
        }
        let span = (self.due - self.at).whole_milliseconds().max(0);
        let parts = i128::from(reminders) + 1;
        // Rounded up, so that the reminder is due when it is looked for.
        let next = (span.saturating_mul(i128::from(self.reminded) + 1) + parts - 1) / parts;
        let next = Duration::milliseconds(i64::try_from(next).unwrap_or(i64::MAX));
        self.at.saturating_add(next).min(self.due)
    }

    /// Restarts at `now`, with the same time to answer.
    pub(crate) fn again(&mut self, now: OffsetDateTime) {
        *self = Self::new(now, self.due - self.at);
    }

    /// Counts from `now`, when the question has really been sent.
    pub(crate) fn sent(&mut self, now: OffsetDateTime) {
        let late = now - self.at;
        if late.is_positive() {
            self.at = now;
            self.due = self.due.saturating_add(late);
        }
    }
}

/// The host that is being emptied, and its instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Round {
    pub(crate) host: Option<String>,
    /// Instances that are or were on it, by their ids.
    pub(crate) members: BTreeMap<String, Member>,
    /// Instances that came to it after the first were asked.
    pub(crate) arrivals: u32,
}

/// An instance on a host that is being emptied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Member {
    pub(crate) project: Option<String>,
    pub(crate) group: Option<String>,
    /// Whether it may be affected now.
    pub(crate) admitted: bool,
    pub(crate) ask: Option<Ask>,
    pub(crate) answer: Option<Answer>,
    /// When it must have left the host; set once it is on its way.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) leave_by: Option<OffsetDateTime>,
    /// Whether it was instructed to move.
    pub(crate) instructed: bool,
    pub(crate) left: bool,
    /// Whether its project knows that it has left.
    #[serde(rename = "told")]
    pub(crate) notified: bool,
}

/// What was answered for an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Agreed(InstanceAction),
    Refused,
}

impl Member {
    /// Whether its project has been asked and may still answer.
    pub(crate) fn is_concerned(&self) -> bool {
        self.ask.is_some() && !self.left
    }

    /// Whether its project owes an answer.
    pub(crate) fn is_open(&self) -> bool {
        self.is_concerned() && self.answer.is_none()
    }

    /// What will be done with it, once that is known. What has no project is the
    /// operator's to move.
    pub(crate) fn action(&self) -> Option<InstanceAction> {
        match (&self.project, self.answer) {
            (None, _) => Some(InstanceAction::Migrate),
            (Some(_), Some(Answer::Agreed(action))) => Some(action),
            (Some(_), _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2031-05-06 07:00:00 UTC);

    #[test]
    fn reminders_are_sent_at_even_distances() {
        let mut ask = Ask::new(NOW, Duration::seconds(30));
        assert_eq!(ask.poll_at(2), NOW + Duration::seconds(10));
        assert_eq!(ask.reminders_due(2, NOW + Duration::seconds(9)), 0);
        assert_eq!(ask.reminders_due(2, NOW + Duration::seconds(10)), 1);
        ask.reminded = 1;
        assert_eq!(ask.poll_at(2), NOW + Duration::seconds(20));
        ask.reminded = 2;
        assert_eq!(ask.poll_at(2), ask.due);
    }

    #[test]
    fn a_reminder_is_due_when_it_is_polled_whatever_the_numbers() {
        for seconds in 0..40 {
            for reminders in 0..7 {
                let mut ask = Ask::new(NOW, Duration::seconds(seconds));
                for reminded in 0..reminders {
                    ask.reminded = reminded;
                    let at = ask.poll_at(reminders);
                    assert!(at >= ask.due || ask.reminders_due(reminders, at) > reminded);
                }
            }
        }
    }

    #[test]
    fn absurd_numbers_do_not_overflow() {
        let ask = Ask::new(NOW, Duration::MAX);
        assert!(ask.poll_at(u32::MAX) <= ask.due);
        assert_eq!(ask.reminders_due(u32::MAX, ask.due), u32::MAX);
        let ask = Ask::new(NOW, Duration::MIN);
        assert_eq!(ask.due, NOW);
    }

    #[test]
    fn a_notice_that_is_sent_late_is_due_later() {
        let mut ask = Ask::new(NOW, Duration::seconds(30));
        ask.sent(NOW + Duration::seconds(5));
        assert_eq!(ask.due, NOW + Duration::seconds(35));
    }
}
