//! Whose turn it is to compile: a few at one time, never two of one account.
//!
//! Accounts take turns, so that one who uploads a hundred bombs delays another by
//! the compilation that is in progress, not by a hundred. How many there are at one time
//! the ledger says. Nobody is turned away here: whoever calls bounds how many wait.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tenterhook_ledger::{Amounts, Guard, Holder, Ledger, Resource};
use tokio::sync::oneshot;

/// The turns of one compiler.
pub(super) struct Turns {
    line: Arc<Mutex<Line>>,
}

/// Who waits.
struct Line {
    ledger: Ledger,
    /// Holders in the order of their turns, each with those that wait; one that was
    /// served goes to the end.
    waiting: VecDeque<(Holder, VecDeque<oneshot::Sender<Turn>>)>,
}

/// A caller's turn; it is over when this is dropped.
pub(super) struct Turn {
    guard: Guard,
    line: Arc<Mutex<Line>>,
}

impl Turns {
    /// Turns of which there are as many as the ledger has of
    /// [`Resource::Compilations`].
    pub(super) fn new(ledger: Ledger) -> Self {
        let line = Line {
            ledger,
            waiting: VecDeque::new(),
        };
        Self {
            line: Arc::new(Mutex::new(line)),
        }
    }

    /// Waits for the holder's turn. Dropping the future gives up the place.
    pub(super) async fn take(&self, holder: Holder) -> Turn {
        let (call, called) = oneshot::channel();
        self.line.lock().join(holder, call);
        call_next(&self.line);
        called.await.expect("who waits is called")
    }
}

impl Line {
    fn join(&mut self, holder: Holder, call: oneshot::Sender<Turn>) {
        match self.waiting.iter_mut().find(|(of, _)| *of == holder) {
            Some((_, calls)) => calls.push_back(call),
            None => self.waiting.push_back((holder, VecDeque::from([call]))),
        }
    }

    /// Takes the first out of the line for which there is room.
    fn next(&mut self) -> Option<(Guard, oneshot::Sender<Turn>)> {
        let room = |holder| self.ledger.room(holder, Resource::Compilations) > 0;
        let at = self.waiting.iter().position(|(holder, _)| room(*holder))?;
        let one = Amounts::of(Resource::Compilations, 1);
        // Only those in this line take any, so it is there.
        let guard = self.ledger.take(self.waiting[at].0, one).ok()?;
        let (holder, mut calls) = self.waiting.remove(at)?;
        let call = calls.pop_front()?;
        if !calls.is_empty() {
            self.waiting.push_back((holder, calls));
        }
        Some((guard, call))
    }
}

/// Calls whoever may go. Not a method of the line: who has given up meanwhile
/// hands the turn back at once, which takes the lock again.
fn call_next(line: &Arc<Mutex<Line>>) {
    loop {
        let next = line.lock().next();
        let Some((guard, call)) = next else {
            return;
        };
        let turn = Turn {
            guard,
            line: Arc::clone(line),
        };
        drop(call.send(turn));
    }
}

impl Turn {
    /// What the turn holds, to which more can be added.
    pub(super) fn guard_mut(&mut self) -> &mut Guard {
        &mut self.guard
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Before the next one is called, which may want just this.
        self.guard.shrink(Resource::Compilations, 1);
        call_next(&self.line);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use tenterhook_ledger::{Capacities, Capacity};

    use super::*;

    fn turns(most: u64) -> Turns {
        let capacity = Capacity::of(most).with_each(1);
        let capacities = Capacities::default().with(Resource::Compilations, capacity);
        Turns::new(Ledger::new(capacities))
    }

    type Waiting<'a> = Pin<Box<dyn Future<Output = Turn> + 'a>>;

    fn wait(turns: &Turns, tenant: u128) -> Waiting<'_> {
        let mut waiting: Waiting<'_> = Box::pin(turns.take(Holder::Account(tenant)));
        assert!(poll(&mut waiting).is_none(), "it is not this one's turn");
        waiting
    }

    fn poll(waiting: &mut Waiting<'_>) -> Option<Turn> {
        match waiting
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    fn take(turns: &Turns, tenant: u128) -> Turn {
        let mut waiting: Waiting<'_> = Box::pin(turns.take(Holder::Account(tenant)));
        poll(&mut waiting).expect("a turn is free")
    }

    #[test]
    fn tenants_take_turns_however_many_of_one_wait() {
        let turns = turns(1);
        let first = take(&turns, 1);
        let mut many: Vec<_> = (0..50).map(|_| wait(&turns, 1)).collect();
        let mut other = wait(&turns, 2);
        drop(first);
        let second = poll(&mut many[0]).expect("it waited first");
        drop(second);
        let third = poll(&mut other).expect("the other tenant comes next");
        assert!(poll(&mut many[1]).is_none());
        drop(third);
        assert!(poll(&mut many[1]).is_some());
    }

    #[test]
    fn one_tenant_has_one_turn_even_if_more_are_free() {
        let turns = turns(2);
        let first = take(&turns, 1);
        let mut second = wait(&turns, 1);
        drop(take(&turns, 2));
        drop(first);
        assert!(poll(&mut second).is_some());
    }

    #[test]
    fn no_more_turns_are_taken_than_there_are() {
        let turns = turns(2);
        let (one, _two) = (take(&turns, 1), take(&turns, 2));
        let mut three = wait(&turns, 3);
        drop(one);
        assert!(poll(&mut three).is_some());
    }

    #[test]
    fn who_gives_up_holds_nobody_up() {
        let turns = turns(1);
        let first = take(&turns, 1);
        let gone = wait(&turns, 2);
        let mut next = wait(&turns, 3);
        drop(gone);
        drop(first);
        let turn = poll(&mut next).expect("the one before has given up");
        let mut called = wait(&turns, 4);
        drop(turn);
        // It was called and then gave up.
        drop(poll(&mut called).expect("its turn"));
        drop(take(&turns, 5));
    }
}
