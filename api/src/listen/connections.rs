//! The connections of a listener: what they hold, and which one is evicted for a
//! newcomer.
//!
//! Each holds a descriptor and some memory of the ledger: for its client's address at
//! first, and for the account once a request on it has shown a token. One on which no
//! request is being answered may be asked to leave. So no client shuts others out by
//! holding connections open. Requests in progress are counted by [`crate::charge`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use tenterhook_ledger::{Amounts, Guard, Holder, Ledger, Resource, Scope, Shortage};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::door::Door;

/// What an open connection takes: its buffers and its task.
const CONNECTION_BYTES: u64 = 16 * 1024;

/// How many are evicted at once: a client that fills all slots has more coming.
const ASKED_AT_ONCE: usize = 16;

/// Connections beyond their client's share, as far as the operator's reserve goes.
/// Whether it is a probe or has a valid token is not known before its head was read. One
/// that waits is evicted for the next newcomer, so few are enough.
const NEWCOMERS: u64 = 32;

/// Connections of a listener for probes only. A probe ends at once.
const PROBES: usize = 64;

/// Whom a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// Everyone, each with a share.
    Clients,
    /// Probes, which use the operator's reserve.
    Probes,
}

/// All connections of a listener. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connections {
    shared: Arc<Shared>,
}

struct Shared {
    ledger: Ledger,
    audience: Audience,
    newcomers_most: usize,
    slots: Mutex<HashMap<u64, Arc<Slot>>>,
    /// Notified when a connection begins to wait, or ends.
    changed: Notify,
    numbers: AtomicU64,
}

/// A connection, open until this is dropped.
pub(super) struct Connection {
    slot: Arc<Slot>,
    shared: Arc<Shared>,
}

/// What a connection holds, and what it is doing.
pub(crate) struct Slot {
    number: u64,
    state: Mutex<State>,
    end: Mutex<End>,
    leave: CancellationToken,
    shared: Weak<Shared>,
}

struct State {
    guard: Guard,
    client: Holder,
    phase: Phase,
    has_spoken: bool,
}

/// What the end of what a client sends means, which may be no more than that: the client
/// has asked all that it wanted to, and still reads.
#[derive(Default)]
struct End {
    /// A request is being answered, with a reply that has an end of its own.
    is_answering: bool,
    /// The request has arrived whole.
    is_whole: bool,
    /// The end was met before the request was known to be whole.
    is_met: bool,
    /// The request goes on behind the end: it has broken off.
    is_broken: bool,
    /// Who is to look at the stream again when that changes.
    hidden_from: Option<Waker>,
}

#[derive(Clone, Copy)]
enum Phase {
    /// Waits for a request since then; its head arrives since then.
    Waiting {
        since: Instant,
        head_since: Option<Instant>,
    },
    /// A request is being answered.
    Answering,
}

/// One request that is being answered, until the last byte of its reply was handed over.
pub(super) struct Answering {
    slot: Arc<Slot>,
    shared: Arc<Shared>,
}

fn connection() -> Amounts {
    Amounts::of(Resource::Descriptors, 1).and(Resource::Memory, CONNECTION_BYTES)
}

impl Connections {
    pub(super) fn new(ledger: Ledger, audience: Audience) -> Self {
        let levels = ledger.levels();
        let descriptors = levels
            .iter()
            .find(|level| level.resource == Resource::Descriptors);
        let reserve = descriptors.map_or(0, |level| level.reserve);
        Self {
            shared: Arc::new(Shared {
                newcomers_most: usize::try_from(reserve.clamp(1, NEWCOMERS)).unwrap_or(1),
                ledger,
                audience,
                slots: Mutex::default(),
                changed: Notify::new(),
                numbers: AtomicU64::new(0),
            }),
        }
    }

    /// Enters a connection of this client, for which another may have to leave.
    pub(super) async fn enter(&self, client: Holder) -> Connection {
        let shared = &self.shared;
        loop {
            let freed = shared.ledger.freed();
            let changed = shared.changed.notified();
            let taken = match shared.audience {
                Audience::Clients => shared.take(client),
                Audience::Probes => shared.take_for_probe(),
            };
            match taken {
                Ok(guard) => return shared.insert(guard, client),
                Err(shortage) => shared.ask_to_leave(client, shortage.map(|short| short.scope)),
            }
            tokio::select! {
                () = freed => {}
                () = changed => {}
            }
        }
    }

    /// Waits until every connection has ended.
    pub(super) async fn all_ended(&self) {
        loop {
            let changed = self.shared.changed.notified();
            if self.shared.slots.lock().is_empty() {
                return;
            }
            changed.await;
        }
    }
}

impl Shared {
    /// Takes what a connection needs, of the reserve if the client has no room for it.
    fn take(&self, client: Holder) -> Result<Guard, Option<Shortage>> {
        let shortage = match self.ledger.take(client, connection()) {
            Ok(guard) => return Ok(guard),
            Err(shortage) => shortage,
        };
        if self.newcomers() < self.newcomers_most
            && let Ok(guard) = self.ledger.take(Holder::Operator, connection())
        {
            return Ok(guard);
        }
        Err(Some(shortage))
    }

    /// A probe is let in whatever others hold; how many there are is bounded here.
    fn take_for_probe(&self) -> Result<Guard, Option<Shortage>> {
        if self.slots.lock().len() >= PROBES {
            return Err(None);
        }
        let mut guard = self.ledger.empty(Holder::Operator);
        for (resource, amount) in connection().iter() {
            guard.overdraw(resource, amount);
        }
        Ok(guard)
    }

    fn newcomers(&self) -> usize {
        let slots = self.slots.lock();
        let newcomers = slots.values().filter(|slot| slot.is_newcomer());
        newcomers.count()
    }

    fn insert(self: &Arc<Self>, guard: Guard, client: Holder) -> Connection {
        let slot = Arc::new(Slot {
            number: self.numbers.fetch_add(1, Ordering::Relaxed),
            state: Mutex::new(State {
                guard,
                client,
                phase: Phase::waiting(),
                has_spoken: false,
            }),
            end: Mutex::default(),
            leave: CancellationToken::new(),
            shared: Arc::downgrade(self),
        });
        self.slots.lock().insert(slot.number, Arc::clone(&slot));
        Connection {
            slot,
            shared: Arc::clone(self),
        }
    }

    /// Asks those that have waited longest to leave: of the client and the newcomers if
    /// it is the client's share that is used up; of all that have shown no token, if it
    /// is theirs; else of all.
    fn ask_to_leave(&self, client: Holder, scope: Option<Scope>) {
        let slots = self.slots.lock();
        let mut waiting: Vec<(Instant, &Arc<Slot>)> = Vec::new();
        for slot in slots.values() {
            let (since, holder) = {
                let state = slot.state.lock();
                (state.phase.waiting_since(), state.guard.holder())
            };
            let is_candidate = match scope {
                Some(Scope::Holder) => holder == client || holder == Holder::Operator,
                Some(Scope::Strangers) => !matches!(holder, Holder::Account(_)),
                Some(Scope::Host) | None => true,
            };
            let Some(since) = since.filter(|_| is_candidate) else {
                continue;
            };
            if slot.leave.is_cancelled() {
                // Those that were asked make room first.
                return;
            }
            waiting.push((since, slot));
        }
        waiting.sort_unstable_by_key(|(since, slot)| (*since, slot.number));
        for (_, slot) in waiting.into_iter().take(ASKED_AT_ONCE) {
            slot.leave.cancel();
        }
    }
}

impl Phase {
    fn waiting() -> Self {
        Self::Waiting {
            since: Instant::now(),
            head_since: None,
        }
    }

    fn waiting_since(self) -> Option<Instant> {
        match self {
            Self::Waiting { since, .. } => Some(since),
            Self::Answering => None,
        }
    }
}

impl Slot {
    /// Charges the connection to another holder. It stays with the one that it is
    /// charged to already if the new one has no room, unless that is the reserve.
    pub(crate) fn charge_to(&self, holder: Holder) -> Result<(), Shortage> {
        let shortage = {
            let mut state = self.state.lock();
            let Err(shortage) = state.guard.transfer(holder) else {
                return Ok(());
            };
            let client = state.client;
            if state.guard.holder() != Holder::Operator || state.guard.transfer(client).is_ok() {
                return Ok(());
            }
            shortage
        };
        if let Some(shared) = self.shared.upgrade() {
            shared.ask_to_leave(holder, Some(shortage.scope));
        }
        Err(shortage)
    }

    /// In whose turns the connection is served: the reserve that lets a newcomer in is
    /// not for its requests.
    pub(super) fn served_for(&self) -> Holder {
        let state = self.state.lock();
        match state.guard.holder() {
            Holder::Operator => state.client,
            holder => holder,
        }
    }

    fn is_newcomer(&self) -> bool {
        self.state.lock().guard.holder() == Holder::Operator
    }

    /// Until when the next byte of a head may come; `None` while a request is answered.
    pub(super) fn read_deadline(&self, door: &Door) -> Option<Instant> {
        let state = self.state.lock();
        match state.phase {
            Phase::Answering => None,
            Phase::Waiting {
                head_since: Some(since),
                ..
            } => Some(since + door.head),
            // A connection that has never sent anything is not in keep-alive.
            Phase::Waiting { since, .. } if state.has_spoken => Some(since + door.keep_alive),
            Phase::Waiting { since, .. } => Some(since + door.head),
        }
    }

    /// Notes that a request has arrived whole. If the client sends no more from now on, it
    /// is still to have its reply.
    pub(super) fn note_whole(&self) {
        self.end.lock().is_whole = true;
    }

    /// Notes that more of a request is waited for, which never comes behind the end.
    pub(super) fn note_wanting(&self) {
        let mut end = self.end.lock();
        if end.is_met && !end.is_whole {
            end.is_broken = true;
            end.wake();
        }
    }

    /// From now on the end of what the client sends is the end of the connection: the reply
    /// has ended, or it is one without an end of its own.
    pub(super) fn end_counts(&self) {
        let mut end = self.end.lock();
        end.is_answering = false;
        end.wake();
    }

    /// Whether the end of what the client sends is not to be seen yet; if so, the task is
    /// woken when it is.
    pub(super) fn hides_end(&self, context: &Context<'_>) -> bool {
        let mut end = self.end.lock();
        let is_hidden = end.is_answering && !end.is_broken;
        if is_hidden {
            end.is_met = true;
            end.hidden_from = Some(context.waker().clone());
        }
        is_hidden
    }

    /// Notes that a byte has come: if none was expected but that of a head, one begins.
    pub(super) fn note_read(&self) {
        if let Phase::Waiting { head_since, .. } = &mut self.state.lock().phase {
            head_since.get_or_insert_with(Instant::now);
        }
    }
}

impl End {
    fn wake(&mut self) {
        if let Some(waker) = self.hidden_from.take() {
            waker.wake();
        }
    }
}

impl Connection {
    /// What a request on the connection knows of it.
    pub(super) fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    /// Ends when the connection is to leave.
    pub(super) async fn asked_to_leave(&self) {
        self.slot.leave.cancelled().await;
    }

    /// Whether no request is being answered.
    pub(super) fn is_waiting(&self) -> bool {
        self.slot.state.lock().phase.waiting_since().is_some()
    }

    /// Whether there ever was a request, whose reply may not have been sent yet.
    pub(super) fn has_spoken(&self) -> bool {
        self.slot.state.lock().has_spoken
    }

    /// The client is another one than the peer. Without room in its share the
    /// connection is a newcomer; `Err` if there are too many of them.
    pub(super) fn is_of(&self, client: Holder) -> Result<(), Shortage> {
        let newcomers = self.shared.newcomers();
        let refused = {
            let mut state = self.slot.state.lock();
            state.client = client;
            match state.guard.transfer(client) {
                Ok(()) => return Ok(()),
                Err(_) if newcomers < self.shared.newcomers_most => {
                    return state.guard.transfer(Holder::Operator);
                }
                Err(shortage) => shortage,
            }
        };
        self.shared.ask_to_leave(client, Some(refused.scope));
        Err(refused)
    }

    /// What counts the connection's requests.
    pub(super) fn answering(&self) -> impl Fn() -> Answering + Clone + Send + use<> {
        let (slot, shared) = (Arc::clone(&self.slot), Arc::clone(&self.shared));
        move || {
            {
                let mut state = slot.state.lock();
                state.has_spoken = true;
                state.phase = Phase::Answering;
            }
            *slot.end.lock() = End {
                is_answering: true,
                ..End::default()
            };
            Answering {
                slot: Arc::clone(&slot),
                shared: Arc::clone(&shared),
            }
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.slot.state.lock().phase = Phase::waiting();
        self.slot.end_counts();
        self.shared.changed.notify_waiters();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.slots.lock().remove(&self.slot.number);
        // A request that outlives its connection holds nothing of it.
        let nothing = self.shared.ledger.empty(Holder::Operator);
        self.slot.state.lock().guard = nothing;
        self.shared.changed.notify_waiters();
    }
}

/// Time that a connection which leaves has to send what it still has.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
