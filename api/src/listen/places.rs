//! Places for connections, and who gives way when all of them are taken.
//!
//! A connection on which no request is being answered may be asked to leave, the
//! one that has waited longest first. So nobody shuts others out by holding
//! connections open; only requests in progress hold their places.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// How many are asked to leave at once: whoever fills all places has more coming.
const ASKED_AT_ONCE: usize = 16;

/// All places of a listener.
pub(super) struct Places {
    count: u32,
    free: Arc<Semaphore>,
    room: Arc<Room>,
}

/// One connection's place, free again when dropped.
pub(super) struct Place {
    number: u64,
    seat: Arc<Seat>,
    room: Arc<Room>,
    _permit: OwnedSemaphorePermit,
}

/// One request that is being answered, until the last byte of its answer has been
/// handed over.
pub(super) struct Visit {
    seat: Arc<Seat>,
    room: Arc<Room>,
}

#[derive(Default)]
struct Room {
    seats: Mutex<HashMap<u64, Arc<Seat>>>,
    /// Told when a connection has nothing left to answer.
    idle: Notify,
    /// Counts up; tells who has waited longer.
    clock: AtomicU64,
}

#[derive(Default)]
struct Seat {
    requests: AtomicU32,
    has_spoken: AtomicBool,
    idle_since: AtomicU64,
    leave: CancellationToken,
}

impl Places {
    pub(super) fn new(count: u32) -> Self {
        Self {
            count,
            free: Arc::new(Semaphore::new(count as usize)),
            room: Arc::default(),
        }
    }

    /// Takes a place, which another may have to give up.
    pub(super) async fn take(&self) -> Place {
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
                break permit;
            }
            let somebody_is_idle = self.room.idle.notified();
            self.room.ask_the_idle_to_leave();
            tokio::select! {
                permit = Arc::clone(&self.free).acquire_owned() => {
                    break permit.expect("the semaphore is never closed");
                }
                () = somebody_is_idle => {}
            }
        };
        let number = self.room.now();
        let seat = Arc::new(Seat {
            idle_since: number.into(),
            ..Seat::default()
        });
        self.room.seats().insert(number, Arc::clone(&seat));
        Place {
            number,
            seat,
            room: Arc::clone(&self.room),
            _permit: permit,
        }
    }

    /// Waits until every connection has ended.
    pub(super) async fn all_free(&self) {
        let all = self.free.acquire_many(self.count).await;
        drop(all.expect("the semaphore is never closed"));
    }
}

impl Room {
    fn seats(&self) -> MutexGuard<'_, HashMap<u64, Arc<Seat>>> {
        // Nothing is done under the lock that could leave the map half changed.
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    fn ask_the_idle_to_leave(&self) {
        let seats = self.seats();
        if seats.values().any(|seat| seat.leave.is_cancelled()) {
            return;
        }
        let mut idle: Vec<_> = seats.values().filter(|seat| seat.is_idle()).collect();
        idle.sort_unstable_by_key(|seat| seat.idle_since.load(Ordering::Relaxed));
        for seat in idle.into_iter().take(ASKED_AT_ONCE) {
            seat.leave.cancel();
        }
    }
}

impl Seat {
    fn is_idle(&self) -> bool {
        self.requests.load(Ordering::SeqCst) == 0
    }
}

impl Place {
    /// Ends when the connection is to give up its place.
    pub(super) async fn asked_to_leave(&self) {
        self.seat.leave.cancelled().await;
    }

    /// Whether no request is being answered.
    pub(super) fn is_idle(&self) -> bool {
        self.seat.is_idle()
    }

    /// Whether there ever was a request, whose answer may not have been sent yet.
    pub(super) fn has_spoken(&self) -> bool {
        self.seat.has_spoken.load(Ordering::SeqCst)
    }

    /// What counts the connection's requests.
    pub(super) fn visits(&self) -> impl Fn() -> Visit + Clone + Send + 'static {
        let (seat, room) = (Arc::clone(&self.seat), Arc::clone(&self.room));
        move || {
            seat.has_spoken.store(true, Ordering::SeqCst);
            seat.requests.fetch_add(1, Ordering::SeqCst);
            Visit {
                seat: Arc::clone(&seat),
                room: Arc::clone(&room),
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.seats().remove(&self.number);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.seat
            .idle_since
            .store(self.room.now(), Ordering::Relaxed);
        if self.seat.requests.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.room.idle.notify_one();
        }
    }
}

/// An answer's body, whose request counts as being answered as long as it lives.
pub(super) struct Attended {
    body: Body,
    _visit: Visit,
}

impl Attended {
    pub(super) fn new(body: Body, visit: Visit) -> Self {
        Self {
            body,
            _visit: visit,
        }
    }
}

impl HttpBody for Attended {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The result of a service that cannot fail.
pub(super) type Served<T> = Result<T, Infallible>;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_one_that_has_waited_longest_gives_way() {
        let places = Places::new(20);
        let mut taken = Vec::new();
        for _ in 0..20 {
            taken.push(places.take().await);
        }
        // The first is being answered, the second was answered just now.
        let visit = taken[0].visits()();
        drop(taken[1].visits()());
        places.room.ask_the_idle_to_leave();
        let asked: Vec<bool> = taken
            .iter()
            .map(|place| place.seat.leave.is_cancelled())
            .collect();
        let mut expected = vec![false, false];
        expected.extend([true; ASKED_AT_ONCE]);
        expected.extend([false; 2]);
        assert_eq!(asked, expected);
        drop(visit);
    }

    #[tokio::test]
    async fn a_newcomer_waits_while_all_are_being_answered() {
        let places = Places::new(1);
        let place = places.take().await;
        let visit = place.visits()();
        let newcomer = async {
            let _second = places.take().await;
        };
        let first = async {
            tokio::task::yield_now().await;
            assert!(!place.seat.leave.is_cancelled());
            drop(visit);
            place.asked_to_leave().await;
            drop(place);
        };
        tokio::join!(newcomer, first);
        places.all_free().await;
    }
}
