//! Fair scheduling of connections: turns at the threads that serve.
//!
//! Every step of a connection (a head read, a body parsed, a reply encoded and handed to
//! the kernel) takes a turn for as long as it keeps its thread. While there are as many
//! turns as processors, none waits. Beyond that the holder that was served least goes
//! next, counted in time; so the many connections of one account share what one would
//! have. So do all clients together that have shown no token yet: addresses are easy to
//! come by. Among the connections of one holder it is the same again: behind one address
//! there may be many clients. A newcomer is among the first then, so every fourth turn
//! goes to the one that has waited longest: else newcomers alone would be served.
//!
//! A step cannot be interrupted, and a large body takes long to parse. Therefore some
//! turns are reserved for holders that have none, on threads of their own: the kernel
//! then divides the processors among them.

mod line;

use std::collections::{BTreeSet, HashMap};
use std::num::NonZero;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tenterhook_ledger::Holder;

use self::line::{Line, LinePosition, Share, Ticket, is_called, is_for_the_oldest};

/// Threads that a runtime needs for [`serve`](crate::serve): one for each turn, and one
/// for what takes none.
#[must_use]
pub fn serving_threads() -> usize {
    2 * processors() + 1
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// The turns that all connections of a server take. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Turns {
    state: Arc<Mutex<State>>,
}

struct State {
    /// Turns that any holder may take.
    common: usize,
    /// Turns beyond those, for holders that have none.
    kept: usize,
    taken: usize,
    /// Holders that have or want a turn and, while any waits, those that had one.
    lines: HashMap<Holder, Line>,
    accounts: Order,
    /// Among themselves.
    strangers: Order,
    /// What clients without a token have together, as if they were one account.
    together: Share,
    /// How often everything was forgiven: earlier time no longer counts.
    forgiven: u64,
    /// How many steps have waited.
    numbered: u64,
}

/// The order in which waiting holders are served.
#[derive(Default)]
struct Order {
    /// Time that those which are served next have been served. A newcomer has no claim to
    /// the time in which it did not wait.
    level: Duration,
    /// Those that wait, by the time for which they were served.
    waiting: BTreeSet<(Duration, Holder)>,
    /// How many were called.
    called: u32,
}

/// What one connection has had, as long as its holder is the same and nothing was forgiven.
#[derive(Clone, Copy)]
struct Own {
    holder: Holder,
    forgiven: u64,
    served: Duration,
}

/// A step that waits, with its place in the holder's line.
struct Waiting {
    holder: Holder,
    place: LinePosition,
    ticket: Arc<Mutex<Ticket>>,
}

impl Default for Turns {
    /// As many turns as processors, and as many again for those who have none.
    fn default() -> Self {
        Self::new(processors(), processors())
    }
}

impl Turns {
    fn new(common: usize, kept: usize) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                common,
                kept,
                taken: 0,
                lines: HashMap::new(),
                accounts: Order::default(),
                strangers: Order::default(),
                together: Share::default(),
                forgiven: 0,
                numbered: 0,
            })),
        }
    }

    /// The same future, each step of which takes a turn of its holder at that time.
    pub(crate) fn take_for<F: Future, H: Fn() -> Holder + Unpin>(
        &self,
        holder: H,
        future: F,
    ) -> Stepwise<F, H> {
        Stepwise {
            turns: self.clone(),
            holder,
            own: None,
            waiting: None,
            future: Box::pin(future),
        }
    }

    /// How many steps wait.
    pub(crate) fn waiting(&self) -> u64 {
        let state = self.state.lock();
        let lines = state.lines.values();
        lines.map(|line| line.waiting.len() as u64).sum()
    }

    /// Takes a turn at once, or waits in the holder's line.
    fn take(
        &self,
        holder: Holder,
        own: &mut Option<Own>,
        waker: &Waker,
    ) -> Result<Turn<'_>, Waiting> {
        let mut state = self.state.lock();
        state.come(holder);
        let served = state.served(holder, own);
        if state.has_turn(holder) {
            state.call(holder, served);
            drop(state);
            return Ok(self.begin(holder));
        }
        state.numbered += 1;
        let place = (served, state.numbered);
        let ticket = Arc::new(Mutex::new(Ticket::Waiting(waker.clone())));
        let line = state.lines.entry(holder).or_default();
        line.insert(place, Arc::clone(&ticket));
        let share = line.share.served;
        state.order_of(holder).waiting.insert((share, holder));
        Err(Waiting {
            holder,
            place,
            ticket,
        })
    }

    fn begin(&self, holder: Holder) -> Turn<'_> {
        Turn {
            turns: self,
            holder,
            since: Instant::now(),
        }
    }

    /// Gives a turn back and calls those for which there is one then.
    fn give_back(&self, holder: Holder, took: Duration) {
        let called = self.state.lock().give_back(holder, took);
        for waker in called {
            waker.wake();
        }
    }

    /// Leaves the line. A turn that was taken meanwhile is given back.
    fn leave(&self, waiting: &Waiting) {
        let holder = waiting.holder;
        let mut state = self.state.lock();
        if matches!(*waiting.ticket.lock(), Ticket::Called) {
            drop(state);
            return self.give_back(holder, Duration::ZERO);
        }
        let Some(line) = state.lines.get_mut(&holder) else {
            return;
        };
        line.remove(waiting.place);
        if line.waiting.is_empty() {
            let served = line.share.served;
            state.order_of(holder).waiting.remove(&(served, holder));
        }
    }
}

impl State {
    fn order_of(&mut self, holder: Holder) -> &mut Order {
        match holder {
            Holder::Address(_) => &mut self.strangers,
            Holder::Account(_) | Holder::Operator => &mut self.accounts,
        }
    }

    /// Puts a newcomer where those are which are served next.
    fn come(&mut self, holder: Holder) {
        if is_stranger(holder) && self.together.taken == 0 && self.strangers.waiting.is_empty() {
            self.together.served = self.together.served.max(self.accounts.level);
        }
        let level = self.order_of(holder).level;
        let line = self.lines.entry(holder).or_default();
        if line.share.taken == 0 && line.waiting.is_empty() {
            line.share.served = line.share.served.max(level);
        }
    }

    /// What the holder has or, without a token, what all such clients have.
    fn share(&self, holder: Holder) -> Share {
        match holder {
            Holder::Address(_) => self.together,
            Holder::Account(_) | Holder::Operator => {
                let line = self.lines.get(&holder);
                line.map_or_else(Share::default, |line| line.share)
            }
        }
    }

    /// Whether there is a turn for the holder.
    fn has_turn(&self, holder: Holder) -> bool {
        let has_none = self.share(holder).taken == 0;
        self.taken < self.common || (has_none && self.taken < self.common + self.kept)
    }

    /// For how long a connection was served: at least as long as those of the same holder
    /// that are served next.
    fn served(&self, holder: Holder, own: &mut Option<Own>) -> Duration {
        let level = self.lines.get(&holder).map(|line| line.level);
        let level = level.unwrap_or_default();
        let before = own.filter(|own| own.holder == holder && own.forgiven == self.forgiven);
        let served = before.map_or(level, |own| own.served.max(level));
        *own = Some(Own {
            holder,
            forgiven: self.forgiven,
            served,
        });
        served
    }

    /// Takes a turn for a connection that was served for `own`.
    fn call(&mut self, holder: Holder, own: Duration) {
        let served = self.share(holder).served;
        self.accounts.level = self.accounts.level.max(served);
        self.taken += 1;
        let line = self.lines.entry(holder).or_default();
        line.share.taken += 1;
        line.level = line.level.max(own);
        if is_stranger(holder) {
            self.strangers.level = self.strangers.level.max(line.share.served);
            self.together.taken += 1;
        }
    }

    fn give_back(&mut self, holder: Holder, took: Duration) -> Vec<Waker> {
        self.taken -= 1;
        if is_stranger(holder) {
            self.together.taken -= 1;
            self.together.served += took;
        }
        let line = self.lines.entry(holder).or_default();
        line.share.taken -= 1;
        let before = line.share.served;
        line.share.served += took;
        let after = line.share.served;
        let waiting = &mut self.order_of(holder).waiting;
        if waiting.remove(&(before, holder)) {
            waiting.insert((after, holder));
        }
        let mut called = Vec::new();
        while let Some(next) = self.next() {
            called.extend(self.call_first_of(next));
        }
        if self.accounts.waiting.is_empty() && self.strangers.waiting.is_empty() {
            self.forgive();
        }
        called
    }

    /// None has to wait: earlier use harms no other.
    fn forgive(&mut self) {
        self.forgiven += 1;
        self.lines.retain(|_, line| line.share.taken > 0);
        self.together.served = self.accounts.level;
        for (holder, line) in &mut self.lines {
            line.level = Duration::ZERO;
            line.share.served = match is_stranger(*holder) {
                true => self.strangers.level,
                false => self.accounts.level,
            };
        }
    }

    /// Who is served next, if there is a turn.
    fn next(&self) -> Option<Holder> {
        if self.taken >= self.common + self.kept {
            return None;
        }
        let first = |order: &Order| {
            let mut waiting = order.waiting.iter().map(|(_, holder)| *holder);
            waiting.find(|holder| self.has_turn(*holder))
        };
        let stranger = match is_for_the_oldest(self.strangers.called) {
            true => self.oldest_stranger(),
            false => first(&self.strangers),
        };
        let next = [first(&self.accounts), stranger];
        let next = next.into_iter().flatten();
        next.min_by_key(|holder| self.share(*holder).served)
    }

    /// The stranger that has waited longest, if there is a turn for strangers.
    fn oldest_stranger(&self) -> Option<Holder> {
        let waiting = self.strangers.waiting.iter().map(|(_, holder)| *holder);
        let since = |holder: &Holder| self.lines.get(holder)?.arrivals.keys().next().copied();
        waiting.min_by_key(since).filter(|one| self.has_turn(*one))
    }

    fn call_first_of(&mut self, holder: Holder) -> Option<Waker> {
        let line = self.lines.get_mut(&holder)?;
        let served = line.share.served;
        let first = line.pop();
        let is_last = line.waiting.is_empty();
        let order = self.order_of(holder);
        order.called = order.called.wrapping_add(1);
        if is_last {
            order.waiting.remove(&(served, holder));
        }
        let (own, ticket) = first?;
        self.call(holder, own);
        let before = std::mem::replace(&mut *ticket.lock(), Ticket::Called);
        match before {
            Ticket::Waiting(waker) => Some(waker),
            Ticket::Called => None,
        }
    }
}

fn is_stranger(holder: Holder) -> bool {
    matches!(holder, Holder::Address(_))
}

/// A turn, given back when this is dropped.
struct Turn<'a> {
    turns: &'a Turns,
    holder: Holder,
    since: Instant,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.give_back(self.holder, self.since.elapsed());
    }
}

/// A future each step of which takes a turn.
pub(crate) struct Stepwise<F, H> {
    turns: Turns,
    holder: H,
    own: Option<Own>,
    waiting: Option<Waiting>,
    future: Pin<Box<F>>,
}

impl<F: Future, H: Fn() -> Holder + Unpin> Future for Stepwise<F, H> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let turn = match this.waiting.take() {
            None => {
                let holder = (this.holder)();
                match this.turns.take(holder, &mut this.own, context.waker()) {
                    Ok(turn) => turn,
                    Err(waiting) => {
                        this.waiting = Some(waiting);
                        return Poll::Pending;
                    }
                }
            }
            Some(waiting) => {
                if !is_called(&waiting.ticket, context.waker()) {
                    this.waiting = Some(waiting);
                    return Poll::Pending;
                }
                this.turns.begin(waiting.holder)
            }
        };
        let polled = this.future.as_mut().poll(context);
        if let Some(own) = &mut this.own {
            own.served += turn.since.elapsed();
        }
        drop(turn);
        polled
    }
}

impl<F, H> Drop for Stepwise<F, H> {
    fn drop(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            self.turns.leave(&waiting);
        }
    }
}

#[cfg(test)]
mod tests;
