//! The ledger itself: how much of each resource is held, by whom, and who may have more.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::amounts::Amounts;
use crate::capacity::{Capacities, Capacity, Taken};
use crate::guard::Guard;
use crate::holder::Holder;
use crate::level::Level;
use crate::listener::{Listener, Listeners};
use crate::resource::Resource;
use crate::shortage::{Scope, Shortage};
use crate::waits::Waits;

/// When to retry for what others currently hold: most work ends sooner.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Owns what tenants share. Cheap to clone; all clones are one ledger.
#[derive(Clone, Default)]
pub struct Ledger {
    inner: Arc<LedgerInner>,
}

#[derive(Default)]
pub(crate) struct LedgerInner {
    books: Mutex<Books>,
    refused: [AtomicU64; Resource::ALL.len()],
    /// The number of waiters for something to be returned. While there are none, a return
    /// costs no more than the bookkeeping: every run makes one.
    waiting: Arc<AtomicUsize>,
    freed: Notify,
    freed_of: [Notify; Resource::ALL.len()],
    listeners: Listeners,
}

#[derive(Default)]
struct Books {
    capacities: Capacities,
    taken: Amounts,
    /// The part of `taken` that clients without a token hold.
    strangers: Amounts,
    peak: Amounts,
    /// Kept apart from the other holders': every request needs it to compute what is left.
    by_operator: Amounts,
    held: HashMap<Holder, Amounts>,
}

impl Ledger {
    /// Creates a ledger with these capacities.
    #[must_use]
    pub fn new(capacities: Capacities) -> Self {
        Self {
            inner: Arc::new(LedgerInner {
                books: Mutex::new(Books {
                    capacities,
                    ..Books::default()
                }),
                ..LedgerInner::default()
            }),
        }
    }

    /// Sets how much there is of a resource, for the component that owns the resource
    /// itself and alone knows.
    pub fn provide(&self, resource: Resource, capacity: Capacity) {
        self.inner.books.lock().capacities.set(resource, capacity);
        self.inner.notify_freed(&Amounts::of(resource, 1));
    }

    /// Takes all of `amounts` for `holder`, or nothing.
    ///
    /// # Errors
    ///
    /// [`Shortage`] for the first resource of which there is not enough.
    pub fn take(&self, holder: Holder, amounts: Amounts) -> Result<Guard, Shortage> {
        self.inner.take(holder, &amounts)?;
        Ok(Guard {
            inner: Arc::clone(&self.inner),
            holder,
            amounts,
        })
    }

    /// Creates a guard that holds nothing yet, to be grown.
    pub fn empty(&self, holder: Holder) -> Guard {
        Guard {
            inner: Arc::clone(&self.inner),
            holder,
            amounts: Amounts::default(),
        }
    }

    /// Returns how much of a resource a holder could take now.
    #[must_use]
    pub fn room(&self, holder: Holder, resource: Resource) -> u64 {
        self.inner.books.lock().room(holder, resource)
    }

    /// Returns the most of a resource that one account can ever have: when all is free.
    #[must_use]
    pub fn most(&self, resource: Resource) -> u64 {
        self.inner.books.lock().capacities.get(resource).most()
    }

    /// Returns how much of a resource all holders have together.
    #[must_use]
    pub fn taken(&self, resource: Resource) -> u64 {
        self.inner.books.lock().taken.get(resource)
    }

    /// Returns how much of a resource a holder has.
    #[must_use]
    pub fn held(&self, holder: Holder, resource: Resource) -> u64 {
        self.inner.books.lock().held_by(holder).get(resource)
    }

    /// Records how much of a resource a holder has, for what is measured and outlives the
    /// process, as bytes on disk do. It may be more than there is.
    pub fn record(&self, holder: Holder, resource: Resource, amount: u64) {
        let before = {
            let mut books = self.inner.books.lock();
            let before = books.held_by(holder).get(resource);
            books.change(holder, |held| held.set(resource, amount));
            books.taken.subtract(resource, before);
            books.take(resource, amount);
            before
        };
        if amount < before {
            self.inner.notify_freed(&Amounts::of(resource, before));
        }
    }

    /// Takes `amount` of one resource for `holder`, and waits until there is room for it.
    /// A waiter holds nothing, and waiters are not served in any order.
    ///
    /// # Errors
    ///
    /// A lasting [`Shortage`].
    pub async fn wait_for(
        &self,
        holder: Holder,
        resource: Resource,
        amount: u64,
    ) -> Result<Guard, Shortage> {
        let _waits = self.inner.waits();
        loop {
            let freed = self.inner.freed_of[resource as usize].notified();
            match self.take(holder, Amounts::of(resource, amount)) {
                Err(shortage) if !shortage.is_lasting() => freed.await,
                taken => return taken,
            }
        }
    }

    /// Waits until something has been returned. A return between the call and the first
    /// poll of the future is not missed.
    pub fn freed(&self) -> impl Future<Output = ()> + '_ {
        let waits = self.inner.waits();
        let freed = self.inner.freed.notified();
        async move {
            freed.await;
            drop(waits);
        }
    }

    /// Notifies `listener` whenever some of a resource is returned, by any holder, as
    /// long as a [`Waits`] is alive.
    pub fn listen(&self, resource: Resource, listener: Weak<dyn Listener>) {
        self.inner.listeners.add(resource, listener);
    }

    /// Returns the level of every resource.
    #[must_use]
    pub fn levels(&self) -> Vec<Level> {
        let books = self.inner.books.lock();
        let level = |resource| {
            let capacity = books.capacities.get(resource);
            Level {
                resource,
                total: capacity.total,
                reserve: capacity.reserve,
                newcomers: capacity.newcomers(),
                strangers_most: capacity.strangers.map_or(u64::MAX, |own| own.most),
                taken: books.taken.get(resource),
                strangers: books.strangers.get(resource),
                peak: books.peak.get(resource),
                refused: self.inner.refused[resource as usize].load(Ordering::Relaxed),
                holders: books
                    .held
                    .values()
                    .chain([&books.by_operator])
                    .filter(|held| held.get(resource) > 0)
                    .count(),
            }
        };
        Resource::ALL.into_iter().map(level).collect()
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger")
            .field("levels", &self.levels())
            .finish()
    }
}

impl LedgerInner {
    pub(crate) fn take(&self, holder: Holder, amounts: &Amounts) -> Result<(), Shortage> {
        let mut books = self.books.lock();
        books.check(self, holder, amounts)?;
        books.add(holder, amounts);
        Ok(())
    }

    pub(crate) fn take_unchecked(&self, holder: Holder, amounts: &Amounts) {
        self.books.lock().add(holder, amounts);
    }

    pub(crate) fn give_back(&self, holder: Holder, amounts: &Amounts) {
        if amounts.is_empty() {
            return;
        }
        self.books.lock().remove(holder, amounts);
        self.notify_freed(amounts);
    }

    /// Registers a waiter, which then has to check once more for what it waits for.
    pub(crate) fn waits(&self) -> Waits {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Waits(Arc::clone(&self.waiting))
    }

    fn notify_freed(&self, amounts: &Amounts) {
        // A waiter that checked the books before they changed registered before that.
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return;
        }
        for (resource, _) in amounts.iter() {
            self.freed_of[resource as usize].notify_waiters();
        }
        self.freed.notify_waiters();
        let room = |resource, holder| self.books.lock().room(holder, resource);
        self.listeners.notify(amounts, &room);
    }

    pub(crate) fn transfer(
        &self,
        from: Holder,
        to: Holder,
        amounts: &Amounts,
    ) -> Result<(), Shortage> {
        let mut books = self.books.lock();
        books.remove(from, amounts);
        let checked = books.check(self, to, amounts);
        let holder = if checked.is_ok() { to } else { from };
        books.add(holder, amounts);
        drop(books);
        if checked.is_ok() {
            // The former holder's share has room again.
            self.notify_freed(amounts);
        }
        checked
    }
}

impl Books {
    fn room(&self, holder: Holder, resource: Resource) -> u64 {
        self.room_beside(holder, &self.held_by(holder), resource)
    }

    /// The same with what the holder has, which is looked up once per request.
    fn room_beside(&self, holder: Holder, held: &Amounts, resource: Resource) -> u64 {
        let capacity = self.capacities.get(resource);
        let (held, taken) = (held.get(resource), self.taken_of(resource));
        match holder {
            Holder::Operator => capacity.total.saturating_sub(self.taken.get(resource)),
            Holder::Account(_) => capacity.room(held, taken),
            Holder::Address(_) => capacity.room_of_a_stranger(held, taken),
        }
    }

    /// Returns what is taken outside the reserve: what the operator holds within its
    /// reserve leaves no less to others.
    fn taken_of(&self, resource: Resource) -> Taken {
        let reserve = self.capacities.get(resource).reserve;
        let of_reserve = self.by_operator.get(resource).min(reserve);
        let by_strangers = self.strangers.get(resource);
        let all = self.taken.get(resource);
        Taken {
            by_accounts: all.saturating_sub(of_reserve).saturating_sub(by_strangers),
            by_strangers,
        }
    }

    fn held_by(&self, holder: Holder) -> Amounts {
        match holder {
            Holder::Operator => self.by_operator,
            Holder::Account(_) | Holder::Address(_) => {
                self.held.get(&holder).copied().unwrap_or_default()
            }
        }
    }

    /// Changes what a holder has.
    fn change(&mut self, holder: Holder, change: impl FnOnce(&mut Amounts)) {
        if holder == Holder::Operator {
            return change(&mut self.by_operator);
        }
        let held = self.held.entry(holder).or_default();
        change(held);
        // A holder of nothing is forgotten: there is no bound on the number of holders.
        if held.is_empty() {
            self.held.remove(&holder);
        }
    }

    fn check(
        &self,
        inner: &LedgerInner,
        holder: Holder,
        amounts: &Amounts,
    ) -> Result<(), Shortage> {
        let held = self.held_by(holder);
        for (resource, asked) in amounts.iter() {
            let available = self.room_beside(holder, &held, resource);
            if asked <= available {
                continue;
            }
            inner.refused[resource as usize].fetch_add(1, Ordering::Relaxed);
            let capacity = self.capacities.get(resource);
            let taken = self.taken_of(resource);
            let (most, free, scope_of_all) = match holder {
                Holder::Operator => (capacity.total, capacity.free(taken), Scope::Host),
                Holder::Account(_) => (capacity.most(), capacity.free(taken), Scope::Host),
                Holder::Address(_) => (
                    capacity.most_of_a_stranger(),
                    capacity.free_for_strangers(taken),
                    match capacity.strangers {
                        Some(_) => Scope::Strangers,
                        None => Scope::Host,
                    },
                ),
            };
            return Err(Shortage {
                resource,
                asked,
                available,
                scope: match asked <= free {
                    true => Scope::Holder,
                    false => scope_of_all,
                },
                retry_after: match asked > most {
                    true => Duration::MAX,
                    false => RETRY_AFTER,
                },
            });
        }
        Ok(())
    }

    fn add(&mut self, holder: Holder, amounts: &Amounts) {
        if amounts.is_empty() {
            return;
        }
        self.change(holder, |held| {
            for (resource, amount) in amounts.iter() {
                held.add(resource, amount);
            }
        });
        for (resource, amount) in amounts.iter() {
            self.take(resource, amount);
            if holder.is_stranger() {
                self.strangers.add(resource, amount);
            }
        }
    }

    fn take(&mut self, resource: Resource, amount: u64) {
        self.taken.add(resource, amount);
        let taken = self.taken.get(resource);
        if taken > self.peak.get(resource) {
            self.peak.set(resource, taken);
        }
    }

    fn remove(&mut self, holder: Holder, amounts: &Amounts) {
        self.change(holder, |held| {
            for (resource, amount) in amounts.iter() {
                held.subtract(resource, amount);
            }
        });
        for (resource, amount) in amounts.iter() {
            self.taken.subtract(resource, amount);
            if holder.is_stranger() {
                self.strangers.subtract(resource, amount);
            }
        }
    }
}

#[cfg(test)]
mod tests;
