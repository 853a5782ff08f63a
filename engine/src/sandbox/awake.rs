//! Run slots: a guest that sleeps returns its slot, and takes one again before it resumes.
//!
//! A guest sleeps when it waits for anything except its next turn on the processor. A guest
//! that wakes and finds no slot in its account's share waits for one here, first come first
//! served. That one guest of each account can always run is the ledger's rule.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::ops::Bound;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tenterhook_ledger::{Guard, Holder, Ledger, Listener, Resource, Waits};

/// Guests that have woken up and wait for a slot.
#[derive(Default)]
pub(crate) struct Sleepers {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// By account, in order of arrival.
    wakers: BTreeMap<(Holder, u64), (Waker, Waits)>,
    last: u64,
}

impl Sleepers {
    /// Creates the waiters of a host, which are notified of every slot that is returned.
    pub(crate) fn of(ledger: &Ledger) -> Arc<Self> {
        let sleepers = Arc::new(Self::default());
        let listener: Weak<Self> = Arc::downgrade(&sleepers);
        ledger.listen(Resource::RunSlots, listener);
        sleepers
    }
}

impl Listener for Sleepers {
    /// Wakes as many as there is room for.
    fn freed(&self, room: &dyn Fn(Holder) -> u64) {
        let mut woken = Vec::new();
        {
            let waiting = self.waiting.lock();
            let mut next = waiting.wakers.keys().next().copied();
            while let Some((holder, first)) = next {
                let room = room(holder).max(1);
                let room = usize::try_from(room).unwrap_or(usize::MAX);
                let of_holder = waiting.wakers.range((holder, first)..=(holder, u64::MAX));
                woken.extend(of_holder.take(room).map(|(_, (waker, _))| waker.clone()));
                let others = (Bound::Excluded((holder, u64::MAX)), Bound::Unbounded);
                next = waiting.wakers.range(others).next().map(|(key, _)| *key);
            }
        }
        woken.into_iter().for_each(Waker::wake);
    }
}

/// The slot of one guest.
struct Slot<'a> {
    guard: &'a mut Guard,
    sleepers: &'a Sleepers,
    asleep: bool,
    /// Its position in the queue, while it waits.
    place: Option<u64>,
}

impl Slot<'_> {
    fn sleep(&mut self) {
        self.asleep = true;
        self.guard.shrink(Resource::RunSlots, 1);
    }

    /// Takes a slot again; if there is none, queues to be woken when there may be.
    fn wake(&mut self, context: &Context<'_>) -> bool {
        if !self.try_wake() {
            self.queue(context);
            // One may have been returned in between.
            if !self.try_wake() {
                return false;
            }
        }
        self.leave_queue();
        self.asleep = false;
        true
    }

    fn try_wake(&mut self) -> bool {
        self.guard.grow(Resource::RunSlots, 1).is_ok()
    }

    fn queue(&mut self, context: &Context<'_>) {
        let mut waiting = self.sleepers.waiting.lock();
        let place = *self.place.get_or_insert_with(|| {
            waiting.last += 1;
            waiting.last
        });
        let key = (self.guard.holder(), place);
        let waits = self.guard.waits();
        waiting.wakers.insert(key, (context.waker().clone(), waits));
    }

    fn leave_queue(&mut self) {
        if let Some(place) = self.place.take() {
            let key = (self.guard.holder(), place);
            self.sleepers.waiting.lock().wakers.remove(&key);
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        // It may be interrupted while it waits.
        self.leave_queue();
    }
}

/// Adds up how long a guest held a slot.
#[derive(Default)]
pub(crate) struct Awake(Duration);

impl Awake {
    /// Runs `guest`, which has a slot in `guard`, and returns the slot whenever it sleeps.
    /// `yielded` is set if a pending guest is not asleep. A guest that is awake at the end
    /// still has its slot in `guard`.
    pub(crate) async fn hold_slot<F: Future>(
        &mut self,
        guard: &mut Guard,
        sleepers: &Sleepers,
        yielded: &AtomicBool,
        guest: F,
    ) -> F::Output {
        let mut guest = pin!(guest);
        let mut slot = Slot {
            guard,
            sleepers,
            asleep: false,
            place: None,
        };
        let mut since = Instant::now();
        poll_fn(|context| {
            if slot.asleep {
                if !slot.wake(context) {
                    return Poll::Pending;
                }
                since = Instant::now();
            }
            yielded.store(false, Ordering::Relaxed);
            let poll = guest.as_mut().poll(context);
            let now = Instant::now();
            self.0 += now - since;
            since = now;
            if poll.is_pending() && !yielded.load(Ordering::Relaxed) {
                slot.sleep();
            }
            poll
        })
        .await
    }

    /// Returns the total, in microseconds.
    pub(crate) fn micros(&self) -> u64 {
        u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use tenterhook_ledger::{Amounts, Capacities, Capacity};
    use tokio::sync::Notify;

    use super::*;

    const A: Holder = Holder::Account(1);
    const B: Holder = Holder::Account(2);

    fn slots(total: u64) -> Ledger {
        Ledger::new(Capacities::default().with(Resource::RunSlots, Capacity::of(total)))
    }

    fn slot(ledger: &Ledger, holder: Holder) -> Guard {
        ledger
            .take(holder, Amounts::of(Resource::RunSlots, 1))
            .unwrap()
    }

    /// A guest that sleeps until it is notified.
    fn sleeper(
        ledger: &Ledger,
        sleepers: &Arc<Sleepers>,
        holder: Holder,
        until: Arc<Notify>,
    ) -> tokio::task::JoinHandle<()> {
        let sleepers = Arc::clone(sleepers);
        let mut guard = slot(ledger, holder);
        tokio::spawn(async move {
            let yielded = AtomicBool::new(false);
            Awake::default()
                .hold_slot(&mut guard, &sleepers, &yielded, until.notified())
                .await;
        })
    }

    #[tokio::test]
    async fn a_guest_that_sleeps_holds_no_slot() {
        let ledger = slots(1);
        let sleepers = Sleepers::of(&ledger);
        let until = Arc::new(Notify::new());
        let asleep = sleeper(&ledger, &sleepers, A, Arc::clone(&until));
        tokio::task::yield_now().await;
        drop(slot(&ledger, B));
        until.notify_one();
        asleep.await.unwrap();
        assert_eq!(ledger.held(A, Resource::RunSlots), 0);
    }

    #[tokio::test]
    async fn a_guest_that_wakes_waits_for_a_slot_of_its_account_before_it_resumes() {
        let ledger = slots(4);
        let sleepers = Sleepers::of(&ledger);
        let until = Arc::new(Notify::new());
        let asleep = sleeper(&ledger, &sleepers, A, Arc::clone(&until));
        tokio::task::yield_now().await;
        // The account's whole share is in use.
        let others: Vec<_> = (0..3).map(|_| slot(&ledger, A)).collect();
        until.notify_one();
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        assert!(!asleep.is_finished());
        assert_eq!(sleepers.waiting.lock().wakers.len(), 1);
        // None of them belongs to a guest.
        drop(others);
        asleep.await.unwrap();
        assert!(sleepers.waiting.lock().wakers.is_empty());
    }

    #[tokio::test]
    async fn one_guest_of_each_account_can_run_even_if_others_hold_all_slots() {
        let ledger = Ledger::default();
        let sleepers = Sleepers::of(&ledger);
        let capacity = Capacity::of(1).with_certain(1);
        ledger.provide(Resource::RunSlots, capacity);
        let until = Arc::new(Notify::new());
        let asleep = sleeper(&ledger, &sleepers, A, Arc::clone(&until));
        tokio::task::yield_now().await;
        let _all = slot(&ledger, B);
        until.notify_one();
        asleep.await.unwrap();
    }

    #[tokio::test]
    async fn a_guest_that_is_interrupted_while_it_waits_leaves_the_queue() {
        let ledger = slots(4);
        let sleepers = Sleepers::of(&ledger);
        let until = Arc::new(Notify::new());
        let asleep = sleeper(&ledger, &sleepers, A, Arc::clone(&until));
        tokio::task::yield_now().await;
        let _others: Vec<_> = (0..3).map(|_| slot(&ledger, A)).collect();
        until.notify_one();
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        asleep.abort();
        assert!(asleep.await.is_err());
        assert!(sleepers.waiting.lock().wakers.is_empty());
        assert_eq!(ledger.held(A, Resource::RunSlots), 3);
    }

    #[tokio::test]
    async fn a_guest_that_yields_keeps_its_slot() {
        let ledger = slots(4);
        let sleepers = Sleepers::of(&ledger);
        let mut guard = slot(&ledger, A);
        let yielded = AtomicBool::new(false);
        let guest = async {
            yielded.store(true, Ordering::Relaxed);
            tokio::task::yield_now().await;
            ledger.held(A, Resource::RunSlots)
        };
        let held = Awake::default()
            .hold_slot(&mut guard, &sleepers, &yielded, guest)
            .await;
        assert_eq!(held, 1);
        assert_eq!(ledger.levels()[Resource::RunSlots as usize].peak, 1);
    }
}
