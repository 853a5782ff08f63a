//! An outbox in memory, as plain as can be.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tenterhook_delivery::{
    Error, Fate, Keep, Letter, NewLetter, Outbox, Room, Subscription, SubscriptionId, Wait,
};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Default)]
pub(crate) struct Memory(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    /// In the order in which they were offered.
    letters: Vec<(Letter, Vec<u8>)>,
    /// How long letters were to wait, and pauses to last, by their own identifiers.
    waits: HashMap<Uuid, Duration>,
    /// Whether everything fails, and how often something has.
    broken: bool,
    failures: usize,
    /// How often somebody found nothing due and asked when something will be.
    looks: usize,
    sweeps: usize,
}

impl Kept {
    fn paused_until(&self, of: SubscriptionId) -> Option<OffsetDateTime> {
        self.subscriptions.get(&of)?.paused_until
    }
}

impl Memory {
    /// Lets everything fail from now on, or work again.
    pub(crate) fn set_broken(&self, broken: bool) {
        self.0.lock().broken = broken;
    }

    /// How often something has failed.
    pub(crate) fn failures(&self) -> usize {
        self.0.lock().failures
    }

    /// How often a lane has found nothing that is due.
    pub(crate) fn looks(&self) -> usize {
        self.0.lock().looks
    }

    /// How often letters were to be forgotten.
    pub(crate) fn sweeps(&self) -> usize {
        self.0.lock().sweeps
    }

    fn with<T>(&self, job: impl FnOnce(&mut Kept) -> T) -> Result<T, Error> {
        let mut kept = self.0.lock();
        if kept.broken {
            kept.failures += 1;
            return Err(Error::Store {
                doing: "use the memory",
                source: "it is broken".into(),
            });
        }
        Ok(job(&mut kept))
    }
}

#[async_trait]
impl Outbox for Memory {
    async fn insert_subscription(&self, new: Subscription) -> Result<(), Error> {
        self.with(|kept| kept.subscriptions.insert(new.id, new))
            .map(|_| ())
    }

    async fn subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        self.with(|kept| kept.subscriptions.values().cloned().collect())
    }

    async fn switch_subscription(&self, id: SubscriptionId, enabled: bool) -> Result<(), Error> {
        self.with(|kept| match kept.subscriptions.get_mut(&id) {
            Some(own) => {
                own.enabled = enabled;
                Ok(())
            }
            None => Err(Error::NotFound(id.to_string())),
        })?
    }

    async fn delete_subscription(&self, id: SubscriptionId) -> Result<(), Error> {
        self.with(|kept| {
            kept.letters.retain(|(letter, _)| letter.subscription != id);
            kept.subscriptions.remove(&id)
        })?
        .map(|_| ())
        .ok_or_else(|| Error::NotFound(id.to_string()))
    }

    async fn insert_letters(
        &self,
        new: Vec<NewLetter>,
        room: Room,
    ) -> Result<Vec<(SubscriptionId, u64)>, Error> {
        self.with(|kept| {
            let to: BTreeSet<_> = new.iter().map(|new| new.subscription).collect();
            for new in new {
                let known = kept.letters.iter().any(|(letter, _)| letter.id == new.id);
                if !known && kept.subscriptions.contains_key(&new.subscription) {
                    kept.letters.push((fresh(&new), new.body));
                }
            }
            to.into_iter()
                .map(|id| (id, give_way(&mut kept.letters, id, &room)))
                .filter(|(_, count)| *count > 0)
                .collect()
        })
    }

    async fn due(
        &self,
        of: SubscriptionId,
        now: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<(Letter, Vec<u8>)>, Error> {
        self.with(|kept| {
            let paused = kept.paused_until(of).is_some_and(|until| until > now);
            let is_due = |letter: &Letter| letter.due_at.is_some_and(|due| due <= now && !paused);
            let mut due: Vec<_> = kept
                .letters
                .iter()
                .filter(|(letter, _)| letter.subscription == of && is_due(letter))
                .cloned()
                .collect();
            due.sort_by_key(|(letter, _)| letter.due_at);
            due.truncate(limit as usize);
            due
        })
    }

    async fn next_due(&self, of: SubscriptionId) -> Result<Option<OffsetDateTime>, Error> {
        self.with(|kept| {
            kept.looks += 1;
            let own = kept
                .letters
                .iter()
                .filter(|(own, _)| own.subscription == of);
            let first = own.filter_map(|(letter, _)| letter.due_at).min();
            first.map(|due| kept.paused_until(of).map_or(due, |until| due.max(until)))
        })
    }

    async fn settle_letter(
        &self,
        settled: Letter,
        wait: Option<Duration>,
        pause: Option<Wait>,
    ) -> Result<(), Error> {
        self.with(|kept| {
            let to = kept.subscriptions.get_mut(&settled.subscription);
            if let (Some(to), Some(pause)) = (to, pause) {
                to.paused_until = Some(pause.until);
                kept.waits.insert(to.id.0, pause.lasting);
            }
            kept.waits.insert(settled.id, wait.unwrap_or_default());
            let found = kept
                .letters
                .iter_mut()
                .find(|(own, _)| own.id == settled.id && own.fate == Fate::Waiting);
            if let Some((own, _)) = found {
                *own = settled;
            }
        })
    }

    async fn letters(
        &self,
        of: SubscriptionId,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Letter>, Error> {
        self.with(|kept| {
            let letters = kept.letters.iter().rev().map(|(letter, _)| letter);
            let own = letters.filter(|letter| letter.subscription == of);
            // Past the letter itself.
            let rest = own.skip_while(|letter| after.is_some_and(|after| letter.id != after));
            let rest = rest.skip(after.iter().count());
            rest.take(limit as usize).cloned().collect()
        })
    }

    async fn shorten_delivery_waits(&self, now: OffsetDateTime) -> Result<(), Error> {
        self.with(|kept| {
            let Kept {
                subscriptions,
                letters,
                waits,
                ..
            } = kept;
            let wait = |id: &Uuid| now + waits.get(id).copied().unwrap_or_default();
            for own in subscriptions.values_mut() {
                own.paused_until = own.paused_until.map(|until| until.min(wait(&own.id.0)));
            }
            for (letter, _) in letters {
                letter.due_at = letter.due_at.map(|due| due.min(wait(&letter.id)));
            }
        })
    }

    async fn waiting(&self) -> Result<u64, Error> {
        self.with(|kept| {
            let waiting = kept.letters.iter().filter(|(own, _)| own.due_at.is_some());
            waiting.count() as u64
        })
    }

    async fn forget_letters(&self, keep: Keep, _limit: u32) -> Result<u64, Error> {
        self.with(|kept| {
            kept.sweeps += 1;
            let before = kept.letters.len();
            kept.letters.retain(|(own, _)| own.created_at >= keep.since);
            (before - kept.letters.len()) as u64
        })
    }
}

fn fresh(new: &NewLetter) -> Letter {
    if new.refused.is_some() {
        return Letter {
            fate: Fate::Failed,
            said: new.refused.clone(),
            due_at: None,
            ..waiting(new)
        };
    }
    waiting(new)
}

fn waiting(new: &NewLetter) -> Letter {
    Letter {
        id: new.id,
        subscription: new.subscription,
        kind: new.kind.clone(),
        attempts: 0,
        fate: Fate::Waiting,
        said: None,
        created_at: new.created_at,
        due_at: Some(new.due_at),
    }
}

fn give_way(letters: &mut [(Letter, Vec<u8>)], of: SubscriptionId, room: &Room) -> u64 {
    let waits = |own: &Letter| own.subscription == of && own.fate == Fate::Waiting;
    let count = letters.iter().filter(|(own, _)| waits(own)).count();
    let over = count.saturating_sub(room.most as usize);
    for (own, _) in letters.iter_mut().filter(|(own, _)| waits(own)).take(over) {
        own.fate = Fate::Failed;
        own.due_at = None;
        own.said = Some(room.said.into());
    }
    over as u64
}
