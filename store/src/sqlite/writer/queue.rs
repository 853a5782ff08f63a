//! The requests that wait for the writing task, with how many of one account may.
//!
//! Whose turn it is is decided in [`super::turns`]; what a request is, in [`super`].

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::turns::{Of, Turns};

/// Most requests that share one commit: enough to divide its cost to nothing,
/// few enough that no request waits long for it.
pub(super) const GROUP: usize = 1_024;

/// Most rows that one commit writes, unless one request alone has more: those who come
/// next wait some 40 ms for it at most.
pub(super) const GROUP_ROWS: usize = 4_096;

/// Rows of one account that wait at a time: two commits of them. Who has more to write
/// waits for its place, and the queue stays as short as there are accounts.
const ACCOUNT_ROWS: usize = 2 * GROUP_ROWS;

/// Sends requests to the writing task. When the last one is dropped, that ends.
pub(super) struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// Takes the requests. When it is dropped, whatever waits is dropped with it.
pub(super) struct Receiver<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    pushed: Notify,
    places: Mutex<HashMap<i64, Arc<Semaphore>>>,
}

struct State<T> {
    turns: Turns<Waiting<T>>,
    /// Comes after all that waits.
    last: Option<T>,
    is_closed: bool,
}

/// A request with the place that it takes among those of its account.
pub(super) struct Waiting<T> {
    pub(super) request: T,
    pub(super) place: Option<OwnedSemaphorePermit>,
}

/// A request was not taken: nothing is written any more.
#[derive(Debug)]
pub(super) struct Closed;

pub(super) fn queue<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            turns: Turns::default(),
            last: None,
            is_closed: false,
        }),
        pushed: Notify::new(),
        places: Mutex::default(),
    });
    let sender = Sender {
        shared: Arc::clone(&shared),
    };
    (sender, Receiver { shared })
}

impl<T> Sender<T> {
    /// Queues a request at once.
    pub(super) fn push(&self, of: Of, rows: usize, request: T) -> Result<(), Closed> {
        self.push_in(of, rows, request, None)
    }

    /// Queues a request of an account once there is a place for it.
    pub(super) async fn push_in_turn(
        &self,
        account: i64,
        rows: usize,
        request: T,
    ) -> Result<(), Closed> {
        let places = Arc::clone(
            self.shared
                .places
                .lock()
                .entry(account)
                .or_insert_with(|| Arc::new(Semaphore::new(ACCOUNT_ROWS))),
        );
        let needed = u32::try_from(rows.clamp(1, ACCOUNT_ROWS)).unwrap_or(1);
        let place = places.acquire_many_owned(needed).await;
        let place = place.expect("the places are never closed");
        self.push_in(Of::Account(account), rows, request, Some(place))
    }

    /// Queues the last request: it comes after all that waits, and none comes after it.
    pub(super) fn push_last(&self, request: T) -> Result<(), Closed> {
        let mut state = self.shared.state.lock();
        if state.is_closed {
            return Err(Closed);
        }
        state.is_closed = true;
        state.last = Some(request);
        drop(state);
        self.shared.pushed.notify_one();
        Ok(())
    }

    fn push_in(
        &self,
        of: Of,
        rows: usize,
        request: T,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<(), Closed> {
        let mut state = self.shared.state.lock();
        if state.is_closed {
            return Err(Closed);
        }
        let waiting = Waiting { request, place };
        state.turns.push(of, rows, waiting);
        drop(state);
        self.shared.pushed.notify_one();
        Ok(())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.state.lock().is_closed = true;
        self.shared.pushed.notify_one();
    }
}

impl<T> Receiver<T> {
    /// Waits for the requests that share the next commit. None once nothing can come.
    pub(super) async fn next_group(&mut self) -> Vec<Waiting<T>> {
        loop {
            {
                let mut state = self.shared.state.lock();
                let group = state.group();
                if !group.is_empty() || state.is_closed {
                    return group;
                }
            }
            // A push since the look above has left its notice.
            self.shared.pushed.notified().await;
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let (waiting, last) = {
            let mut state = self.shared.state.lock();
            state.is_closed = true;
            (std::mem::take(&mut state.turns), state.last.take())
        };
        // A caller that waits for an answer gets it, and may ask again: not under the lock.
        drop((waiting, last));
    }
}

impl<T> State<T> {
    fn group(&mut self) -> Vec<Waiting<T>> {
        let mut group = Vec::new();
        let mut room = GROUP_ROWS;
        while group.len() < GROUP {
            let most = match group.is_empty() {
                true => usize::MAX,
                false => room,
            };
            let Some((rows, waiting)) = self.turns.take(most) else {
                break;
            };
            room = room.saturating_sub(rows);
            group.push(waiting);
        }
        if self.turns.is_empty() && group.len() < GROUP {
            group.extend(self.last.take().map(|request| Waiting {
                request,
                place: None,
            }));
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use super::*;

    /// Whether a future still waits, asked once.
    async fn waits<F: Future<Output: std::fmt::Debug>>(future: &mut Pin<&mut F>) -> bool {
        tokio::select! {
            biased;
            _ = future => false,
            () = std::future::ready(()) => true,
        }
    }

    async fn rows(receiver: &mut Receiver<usize>) -> Vec<usize> {
        let group = receiver.next_group().await;
        group.into_iter().map(|waiting| waiting.request).collect()
    }

    #[tokio::test]
    async fn a_commit_takes_at_least_one_request_and_no_more_rows_than_allowed() {
        for (pushed, first) in [
            (vec![1; 1_025], 1_024),
            (vec![2_048, 2_048, 1], 2),
            (vec![2_048, 2_049, 1], 1),
            (vec![10_000, 1], 1),
            (vec![1, 10_000], 1),
        ] {
            let (sender, mut receiver) = queue();
            for rows in &pushed {
                sender.push(Of::Outcome(1), *rows, *rows).unwrap();
            }
            assert_eq!(rows(&mut receiver).await.len(), first, "{}", pushed.len());
        }
    }

    #[tokio::test]
    async fn one_account_has_no_more_rows_waiting_than_two_commits_take() {
        let (sender, mut receiver) = queue();
        for part in 0..4 {
            sender.push_in_turn(1, 2_048, part).await.unwrap();
        }
        let mut fifth = std::pin::pin!(sender.push_in_turn(1, 2_048, 4));
        assert!(waits(&mut fifth).await);
        // Another account has its own places.
        sender.push_in_turn(2, 1, 5).await.unwrap();

        let first = receiver.next_group().await;
        assert!(waits(&mut fifth).await);
        // The places are free when the commit has ended.
        drop(first);
        fifth.await.unwrap();
    }

    #[tokio::test]
    async fn the_last_request_follows_all_others_and_none_follows_it() {
        let (sender, mut receiver) = queue();
        sender.push(Of::Account(1), 3_000, 1).unwrap();
        sender.push(Of::Account(1), 3_000, 2).unwrap();
        sender.push_last(3).unwrap();
        assert!(sender.push(Of::Server, 1, 4).is_err());
        assert_eq!(rows(&mut receiver).await, [1]);
        assert_eq!(rows(&mut receiver).await, [2, 3]);
        assert!(rows(&mut receiver).await.is_empty());
    }

    #[tokio::test]
    async fn queued_requests_are_still_written_when_no_sender_is_left() {
        let (sender, mut receiver) = queue();
        sender.push(Of::Account(1), 1, 1).unwrap();
        drop(sender);
        assert_eq!(rows(&mut receiver).await, [1]);
        assert!(rows(&mut receiver).await.is_empty());
    }
}
