//! Lanes whose next execution was running when the server was killed: they start
//! last, one after the other, and alone for a while. Pure, and no rule of when to give up.

use std::collections::VecDeque;
use std::time::Duration;

use crate::id::{AccountId, TaskId};

/// How long a suspect has the machine to itself: what kills its host does so soon, by
/// memory within 2.5 s where it was measured. One that lives longer runs on beside the
/// others, and the next one can start. After it the others have as long for themselves.
const ALONE: Duration = Duration::from_secs(3);

/// How long a suspect waits for the others to be through before it starts beside
/// them: a busy server must not keep it waiting for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// A lane: its task and its place there.
type LaneKey = (TaskId, usize);

/// The suspects that wait, and the one that is watched.
#[derive(Default)]
pub(super) struct Suspects {
    waiting: VecDeque<Waiting>,
    out: Option<Out>,
    /// No run is alone before.
    rest_until: Duration,
}

struct Waiting {
    account: AccountId,
    place: LaneKey,
    crashes: u32,
    /// How many of its account with as many crashes stood before it.
    round: usize,
    since: Duration,
}

/// A suspect that was let out, until it has ended or was watched for long enough.
struct Out {
    place: LaneKey,
    until: Duration,
    is_alone: bool,
}

impl Suspects {
    /// Takes in a suspect. Who has fewer crashes to its name goes first; of the others
    /// the accounts take turns.
    pub(super) fn push(&mut self, account: AccountId, place: LaneKey, crashes: u32, now: Duration) {
        let same = |other: &&Waiting| other.account == account && other.crashes == crashes;
        let round = self.waiting.iter().filter(same).count();
        let before = |other: &Waiting| (other.crashes, other.round) <= (crashes, round);
        let at = self.waiting.partition_point(before);
        let waiting = Waiting {
            account,
            place,
            crashes,
            round,
            since: now,
        };
        self.waiting.insert(at, waiting);
    }

    /// Whether there is one that could be let out.
    pub(super) fn wait(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Lets the next one out, if the others are through or it has waited long enough.
    pub(super) fn release(&mut self, now: Duration, is_idle: bool) -> Option<(AccountId, LaneKey)> {
        if self.out.as_ref().is_some_and(|out| now < out.until) {
            return None;
        }
        self.finish(now);
        let first = self.waiting.front()?;
        let is_its_turn = is_idle && now >= self.rest_until;
        if !is_its_turn && first.since.saturating_add(PATIENCE) > now {
            return None;
        }
        let Waiting { account, place, .. } = self.waiting.pop_front()?;
        self.out = Some(Out {
            place,
            // There may be no room for it: the next one does not wait for that.
            until: now.saturating_add(PATIENCE),
            is_alone: false,
        });
        Some((account, place))
    }

    /// Takes note that a lane has started.
    pub(super) fn started(&mut self, place: LaneKey, now: Duration, is_alone: bool) {
        if let Some(out) = self.out.as_mut().filter(|out| out.place == place) {
            out.until = now.saturating_add(ALONE);
            out.is_alone = is_alone && now >= self.rest_until;
        }
    }

    /// Takes note that a lane's attempt has ended, or that it will not start.
    pub(super) fn ended(&mut self, place: LaneKey, now: Duration) {
        if self.out.as_ref().is_some_and(|out| out.place == place) {
            self.finish(now);
        }
    }

    fn finish(&mut self, now: Duration) {
        if self.out.take().is_some_and(|out| out.is_alone) {
            self.rest_until = now.saturating_add(ALONE);
        }
    }

    /// Whether nothing else may start now.
    pub(super) fn is_alone(&self, now: Duration) -> bool {
        let out = self.out.as_ref();
        out.is_some_and(|out| out.is_alone && now < out.until)
    }

    /// When to look again.
    pub(super) fn next_look(&self, now: Duration) -> Option<Duration> {
        if let Some(out) = self.out.as_ref().filter(|out| now < out.until) {
            return Some(out.until);
        }
        let first = self.waiting.front()?;
        let patience = first.since.saturating_add(PATIENCE);
        Some(match self.rest_until > now {
            true => patience.min(self.rest_until),
            false => patience,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn suspect(suspects: &mut Suspects, crashes: u32) -> LaneKey {
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
            suspects.started(expected, SECOND, false);
            assert!(suspects.release(SECOND * 3, true).is_none(), "one is out");
            suspects.ended(expected, SECOND * 3);
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
        suspects.ended(place, SECOND);
        assert!(!suspects.is_alone(SECOND), "it has come to its end");
    }

    #[test]
    fn a_suspect_that_keeps_running_delays_neither_the_next_nor_others() {
        let mut suspects = Suspects::default();
        let first = suspect(&mut suspects, 1);
        let second = suspect(&mut suspects, 1);
        suspects.release(SECOND, true);
        suspects.started(first, SECOND, true);
        let over = SECOND + ALONE;
        assert!(
            suspects.release(over, true).is_none(),
            "now it is the turn of the others"
        );
        assert!(!suspects.is_alone(over));
        assert_eq!(suspects.next_look(over), Some(over + ALONE));
        let next = suspects.release(over + ALONE, true);
        assert_eq!(next.map(|(_, place)| place), Some(second));
    }

    #[test]
    fn suspects_of_different_accounts_take_turns() {
        let mut suspects = Suspects::default();
        let (many, one) = (AccountId::generate(), AccountId::generate());
        for index in 0..3 {
            suspects.push(many, (TaskId::generate(), index), 1, SECOND);
        }
        suspects.push(one, (TaskId::generate(), 0), 1, SECOND);
        let mut order = Vec::new();
        while let Some((account, place)) = suspects.release(SECOND, true) {
            order.push(account);
            suspects.ended(place, SECOND);
        }
        assert_eq!(order, [many, one, many, many]);
    }
}
