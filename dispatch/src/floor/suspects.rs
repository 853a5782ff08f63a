//! Lanes whose next execution was running when the server was killed: they start
//! last, one at a time, and alone for a while. Pure, and no rule of when to give up.

use std::collections::VecDeque;
use std::time::Duration;

use crate::id::{AccountId, TaskId};

/// How long a suspect has the machine to itself: what kills its host does so soon, by
/// memory within 2.5 s where it was measured. Who comes meanwhile waits for so long
/// at most, and only if nobody else was there when the suspect started.
const ALONE: Duration = Duration::from_secs(3);

/// How long a suspect waits for the others to be through before it starts beside
/// them: a busy server must not keep it waiting for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// A lane: its task and its place there.
type Place = (TaskId, usize);

/// The suspects that wait, and the one that is out.
#[derive(Default)]
pub(super) struct Suspects {
    waiting: VecDeque<Waiting>,
    out: Option<Place>,
    alone_until: Option<Duration>,
}

struct Waiting {
    account: AccountId,
    place: Place,
    crashes: u32,
    since: Duration,
}

impl Suspects {
    /// Takes in a suspect. Who has fewer crashes to its name goes first.
    pub(super) fn push(&mut self, account: AccountId, place: Place, crashes: u32, now: Duration) {
        let before = |other: &Waiting| other.crashes <= crashes;
        let at = self.waiting.partition_point(before);
        let waiting = Waiting {
            account,
            place,
            crashes,
            since: now,
        };
        self.waiting.insert(at, waiting);
    }

    /// Whether there is one that could be let out.
    pub(super) fn wait(&self) -> bool {
        self.out.is_none() && !self.waiting.is_empty()
    }

    /// Lets the next one out, if the others are through or it has waited long enough.
    pub(super) fn release(&mut self, now: Duration, is_idle: bool) -> Option<(AccountId, Place)> {
        if self.out.is_some() {
            return None;
        }
        let first = self.waiting.front()?;
        if !is_idle && first.since.saturating_add(PATIENCE) > now {
            return None;
        }
        let Waiting { account, place, .. } = self.waiting.pop_front()?;
        self.out = Some(place);
        Some((account, place))
    }

    /// Takes note that a lane has started.
    pub(super) fn started(&mut self, place: Place, now: Duration, is_alone: bool) {
        if self.out == Some(place) && is_alone {
            self.alone_until = Some(now.saturating_add(ALONE));
        }
    }

    /// Takes note that a lane's attempt has ended, or that it will not start.
    pub(super) fn ended(&mut self, place: Place) {
        if self.out == Some(place) {
            self.out = None;
            self.alone_until = None;
        }
    }

    /// Whether nothing else may start now.
    pub(super) fn is_alone(&self, now: Duration) -> bool {
        self.alone_until.is_some_and(|until| now < until)
    }

    /// When to look again.
    pub(super) fn next_look(&self, now: Duration) -> Option<Duration> {
        let alone = self.alone_until.filter(|until| *until > now);
        let patience = match self.out {
            None => self
                .waiting
                .front()
                .map(|first| first.since.saturating_add(PATIENCE)),
            Some(_) => None,
        };
        [alone, patience].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn suspect(suspects: &mut Suspects, crashes: u32) -> Place {
        let place = (TaskId::generate(), 0);
        suspects.push(AccountId::generate(), place, crashes, SECOND);
        place
    }

    #[test]
    fn suspects_start_one_at_a_time_and_the_worst_last() {
        let mut suspects = Suspects::default();
        let worst = suspect(&mut suspects, 2);
        let first = suspect(&mut suspects, 1);
        let second = suspect(&mut suspects, 1);
        for expected in [first, second, worst] {
            let released = suspects.release(SECOND, true).map(|(_, place)| place);
            assert_eq!(released, Some(expected));
            assert!(suspects.release(SECOND * 99, true).is_none(), "one is out");
            suspects.ended(expected);
        }
        assert!(!suspects.wait());
    }

    #[test]
    fn a_suspect_waits_for_the_others_but_not_for_ever() {
        let mut suspects = Suspects::default();
        let place = suspect(&mut suspects, 1);
        assert!(suspects.release(SECOND, false).is_none());
        assert_eq!(suspects.next_look(SECOND), Some(SECOND + PATIENCE));
        let released = suspects.release(SECOND + PATIENCE, false);
        assert_eq!(released.map(|(_, place)| place), Some(place));
        suspects.started(place, SECOND * 40, false);
        assert!(!suspects.is_alone(SECOND * 40), "others run already");
    }

    #[test]
    fn others_wait_a_while_for_a_suspect_that_started_alone() {
        let mut suspects = Suspects::default();
        let place = suspect(&mut suspects, 1);
        suspects.release(SECOND, true);
        suspects.started(place, SECOND, true);
        assert!(suspects.is_alone(SECOND));
        assert_eq!(suspects.next_look(SECOND), Some(SECOND + ALONE));
        assert!(!suspects.is_alone(SECOND + ALONE));
        suspects.started(place, SECOND, true);
        suspects.ended(place);
        assert!(!suspects.is_alone(SECOND), "it has come to its end");
    }
}
