//! The queue for the compiler: a few compilations at a time, never two of one account.
//!
//! Accounts are served round-robin, so that one that uploads a hundred bombs delays
//! another by the compilation that is in progress, not by a hundred. The ledger decides
//! how many run at a time. The queue itself is unbounded: the caller bounds how many wait.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tenterhook_ledger::{Amounts, Guard, Holder, Ledger, Resource};
use tokio::sync::oneshot;

/// The queue of one compiler.
pub(super) struct CompileQueue {
    waiters: Arc<Mutex<Waiters>>,
}

/// The callers that wait.
struct Waiters {
    ledger: Ledger,
    /// Holders in the order in which they are served, each with its waiting callers; one
    /// that was served goes to the end.
    waiting: VecDeque<(Holder, VecDeque<oneshot::Sender<CompileTurn>>)>,
}

/// A caller's permission to compile, until this is dropped.
pub(super) struct CompileTurn {
    guard: Guard,
    waiters: Arc<Mutex<Waiters>>,
}

impl CompileQueue {
    /// Creates a queue that admits as many at a time as the ledger has of
    /// [`Resource::Compilations`].
    pub(super) fn new(ledger: Ledger) -> Self {
        let waiters = Waiters {
            ledger,
            waiting: VecDeque::new(),
        };
        Self {
            waiters: Arc::new(Mutex::new(waiters)),
        }
    }

    /// Waits for the holder's turn. Dropping the future leaves the queue.
    pub(super) async fn take(&self, holder: Holder) -> CompileTurn {
        let (call, called) = oneshot::channel();
        self.waiters.lock().join(holder, call);
        admit_next(&self.waiters);
        called.await.expect("every waiter is called")
    }
}

impl Waiters {
    fn join(&mut self, holder: Holder, call: oneshot::Sender<CompileTurn>) {
        match self.waiting.iter_mut().find(|(of, _)| *of == holder) {
            Some((_, calls)) => calls.push_back(call),
            None => self.waiting.push_back((holder, VecDeque::from([call]))),
        }
    }

    /// Takes the first waiter out of the queue for which there is room.
    fn next(&mut self) -> Option<(Guard, oneshot::Sender<CompileTurn>)> {
        let room = |holder| self.ledger.room(holder, Resource::Compilations) > 0;
        let at = self.waiting.iter().position(|(holder, _)| room(*holder))?;
        let one = Amounts::of(Resource::Compilations, 1);
        // Only this queue takes any, so it is still there.
        let guard = self.ledger.take(self.waiting[at].0, one).ok()?;
        let (holder, mut calls) = self.waiting.remove(at)?;
        let call = calls.pop_front()?;
        if !calls.is_empty() {
            self.waiting.push_back((holder, calls));
        }
        Some((guard, call))
    }
}

/// Admits every waiter for which there is room. Not a method of [`Waiters`]: a waiter that
/// has given up returns its turn at once, which takes the lock again.
fn admit_next(waiters: &Arc<Mutex<Waiters>>) {
    loop {
        let next = waiters.lock().next();
        let Some((guard, call)) = next else {
            return;
        };
        let turn = CompileTurn {
            guard,
            waiters: Arc::clone(waiters),
        };
        drop(call.send(turn));
    }
}

impl CompileTurn {
    /// Returns what the turn holds, to which more can be added.
    pub(super) fn guard_mut(&mut self) -> &mut Guard {
        &mut self.guard
    }
}

impl Drop for CompileTurn {
    fn drop(&mut self) {
        // Before the next one is admitted, which may need just this.
        self.guard.shrink(Resource::Compilations, 1);
        admit_next(&self.waiters);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use tenterhook_ledger::{Capacities, Capacity};

    use super::*;

    fn queue(most: u64) -> CompileQueue {
        let capacity = Capacity::of(most).with_each(1);
        let capacities = Capacities::default().with(Resource::Compilations, capacity);
        CompileQueue::new(Ledger::new(capacities))
    }

    type Waiting<'a> = Pin<Box<dyn Future<Output = CompileTurn> + 'a>>;

    fn wait(queue: &CompileQueue, tenant: u128) -> Waiting<'_> {
        let mut waiting: Waiting<'_> = Box::pin(queue.take(Holder::Account(tenant)));
        assert!(poll(&mut waiting).is_none(), "it is not this one's turn");
        waiting
    }

    fn poll(waiting: &mut Waiting<'_>) -> Option<CompileTurn> {
        match waiting
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    fn take(queue: &CompileQueue, tenant: u128) -> CompileTurn {
        let mut waiting: Waiting<'_> = Box::pin(queue.take(Holder::Account(tenant)));
        poll(&mut waiting).expect("a turn is free")
    }

    #[test]
    fn tenants_take_turns_however_many_of_one_wait() {
        let queue = queue(1);
        let first = take(&queue, 1);
        let mut many: Vec<_> = (0..50).map(|_| wait(&queue, 1)).collect();
        let mut other = wait(&queue, 2);
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
        let queue = queue(2);
        let first = take(&queue, 1);
        let mut second = wait(&queue, 1);
        drop(take(&queue, 2));
        drop(first);
        assert!(poll(&mut second).is_some());
    }

    #[test]
    fn no_more_turns_are_taken_than_there_are() {
        let queue = queue(2);
        let (one, _two) = (take(&queue, 1), take(&queue, 2));
        let mut three = wait(&queue, 3);
        drop(one);
        assert!(poll(&mut three).is_some());
    }

    #[test]
    fn a_waiter_that_gives_up_does_not_block_the_queue() {
        let queue = queue(1);
        let first = take(&queue, 1);
        let gone = wait(&queue, 2);
        let mut next = wait(&queue, 3);
        drop(gone);
        drop(first);
        let turn = poll(&mut next).expect("the one before has given up");
        let mut called = wait(&queue, 4);
        drop(turn);
        // It was called and then gave up.
        drop(poll(&mut called).expect("its turn"));
        drop(take(&queue, 5));
    }
}
