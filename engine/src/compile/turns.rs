//! Whose turn it is to compile: a few at one time, never two of one tenant.
//!
//! Tenants take turns, so that one who uploads a hundred bombs delays another by
//! the compilation that is in progress, not by a hundred. Nobody is turned away
//! here: whoever calls bounds how many wait.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Whose compilation it is: those of one tenant happen one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tenant(u128);

impl Tenant {
    /// The tenant of this number, which only has to differ from all others'.
    #[must_use]
    pub fn new(number: u128) -> Self {
        Self(number)
    }
}

/// The turns of one compiler.
pub(super) struct Turns {
    line: Arc<Mutex<Line>>,
}

/// Who compiles, and who waits.
struct Line {
    free: usize,
    busy: HashSet<Tenant>,
    /// Tenants in the order of their turns, each with those that wait; one that
    /// was served goes to the end.
    waiting: VecDeque<(Tenant, VecDeque<oneshot::Sender<Turn>>)>,
}

/// Somebody's turn; it is over when this is dropped.
pub(super) struct Turn {
    tenant: Tenant,
    line: Arc<Mutex<Line>>,
}

impl Turns {
    /// Turns of which `most` may be taken at one time.
    pub(super) fn new(most: usize) -> Self {
        let line = Line {
            free: most,
            busy: HashSet::new(),
            waiting: VecDeque::new(),
        };
        Self {
            line: Arc::new(Mutex::new(line)),
        }
    }

    /// Waits for the tenant's turn. Dropping the future gives up the place.
    pub(super) async fn take(&self, tenant: Tenant) -> Turn {
        let (call, called) = oneshot::channel();
        self.line.lock().join(tenant, call);
        call_next(&self.line);
        called.await.expect("who waits is called")
    }
}

impl Line {
    fn join(&mut self, tenant: Tenant, call: oneshot::Sender<Turn>) {
        match self.waiting.iter_mut().find(|(of, _)| *of == tenant) {
            Some((_, calls)) => calls.push_back(call),
            None => self.waiting.push_back((tenant, VecDeque::from([call]))),
        }
    }

    /// Takes the first out of the line that may go.
    fn next(&mut self) -> Option<(Tenant, oneshot::Sender<Turn>)> {
        if self.free == 0 {
            return None;
        }
        let at = self
            .waiting
            .iter()
            .position(|(tenant, _)| !self.busy.contains(tenant))?;
        let (tenant, mut calls) = self.waiting.remove(at)?;
        let call = calls.pop_front()?;
        if !calls.is_empty() {
            self.waiting.push_back((tenant, calls));
        }
        self.free -= 1;
        self.busy.insert(tenant);
        Some((tenant, call))
    }
}

/// Calls whoever may go. Not a method of the line: who has given up meanwhile
/// hands the turn back at once, which takes the lock again.
fn call_next(line: &Arc<Mutex<Line>>) {
    loop {
        let next = line.lock().next();
        let Some((tenant, call)) = next else {
            return;
        };
        let turn = Turn {
            tenant,
            line: Arc::clone(line),
        };
        drop(call.send(turn));
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        {
            let mut line = self.line.lock();
            line.free += 1;
            line.busy.remove(&self.tenant);
        }
        call_next(&self.line);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    type Waiting<'a> = Pin<Box<dyn Future<Output = Turn> + 'a>>;

    fn wait(turns: &Turns, tenant: u128) -> Waiting<'_> {
        let mut waiting: Waiting<'_> = Box::pin(turns.take(Tenant::new(tenant)));
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
        let mut waiting: Waiting<'_> = Box::pin(turns.take(Tenant::new(tenant)));
        poll(&mut waiting).expect("a turn is free")
    }

    #[test]
    fn tenants_take_turns_however_many_of_one_wait() {
        let turns = Turns::new(1);
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
        let turns = Turns::new(2);
        let first = take(&turns, 1);
        let mut second = wait(&turns, 1);
        drop(take(&turns, 2));
        drop(first);
        assert!(poll(&mut second).is_some());
    }

    #[test]
    fn no_more_turns_are_taken_than_there_are() {
        let turns = Turns::new(2);
        let (one, _two) = (take(&turns, 1), take(&turns, 2));
        let mut three = wait(&turns, 3);
        drop(one);
        assert!(poll(&mut three).is_some());
    }

    #[test]
    fn who_gives_up_holds_nobody_up() {
        let turns = Turns::new(1);
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
