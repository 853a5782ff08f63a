//! What one request holds of shared resources until the client has received its reply.
//!
//! It is charged to the client's address at first, within the part that clients without a
//! token share, and to the account once a token has shown which one that is. Bodies and
//! large replies count as memory as long as they are in flight. Which connection a
//! request came on is the listener's business.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use axum::extract::FromRequestParts;
use axum::response::Response;
use bytes::Bytes;
use http::Extensions;
use http::request::Parts;
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;
use tenterhook_dispatch::{AccountId, Key, TaskId};
use tenterhook_ledger::{Amounts, Guard, Holder, Ledger, Resource, Shortage};

use crate::app::App;
use crate::listen::connections::Slot;
use crate::refusal::Refusal;

/// What a request takes besides its body: its head of up to 64 KiB, and a reply as
/// small as most are.
const REQUEST_BYTES: u64 = 64 * 1024;

/// What one request holds. Cheap to clone; all clones are one charge.
#[derive(Clone)]
pub(crate) struct Charge {
    inner: Arc<Mutex<State>>,
}

struct State {
    ledger: Ledger,
    guard: Guard,
    /// Why the client's address could not have it. A token may still open an account.
    refused: Option<Shortage>,
    slot: Option<Arc<Slot>>,
}

/// Memory that a handler holds until this is dropped.
#[must_use]
pub(crate) struct HeldMemory<'a> {
    charge: &'a Charge,
    bytes: u64,
}

impl Drop for HeldMemory<'_> {
    fn drop(&mut self) {
        self.charge.release_memory(self.bytes);
    }
}

fn request() -> Amounts {
    Amounts::of(Resource::Requests, 1).and(Resource::Memory, REQUEST_BYTES)
}

impl Charge {
    /// Begins to charge a request to its client's address. Without room for it nothing
    /// is refused yet: see [`admit`](Self::admit) and [`charge_to`](Self::charge_to).
    pub(crate) fn begin(ledger: &Ledger, client: Holder, slot: Option<Arc<Slot>>) -> Self {
        let (guard, refused) = match ledger.take(client, request()) {
            Ok(guard) => (guard, None),
            Err(shortage) => (ledger.empty(client), Some(shortage)),
        };
        let state = State {
            ledger: ledger.clone(),
            guard,
            refused,
            slot,
        };
        Self {
            inner: Arc::new(Mutex::new(state)),
        }
    }

    /// What the request with these extensions holds.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        let charge = extensions.get::<Self>().cloned();
        charge.expect("every request is charged at the edge")
    }

    /// Lets a request in that needs no token.
    pub(crate) fn admit(&self) -> Result<(), Refusal> {
        let state = self.inner.lock();
        if let Some(shortage) = state.refused {
            return Err(shortage.into());
        }
        let client = state.guard.holder();
        state.charge_connection(client)
    }

    /// Charges the request to the account that its token opens. What an address has
    /// used up is not a reason to refuse an account that has room.
    pub(crate) fn charge_to(&self, account: Holder) -> Result<(), Refusal> {
        let mut state = self.inner.lock();
        match state.refused {
            None => state.guard.transfer(account)?,
            Some(_) => {
                state.guard = state.ledger.take(account, request())?;
                state.refused = None;
            }
        }
        state.charge_connection(account)
    }

    /// Charges the request of an operator to the reserve, its connection to the account:
    /// the operator can act when tenants have used up everything.
    pub(crate) fn charge_to_reserve(&self, account: Holder) -> Result<(), Refusal> {
        let mut state = self.inner.lock();
        state.guard = state.ledger.take(Holder::Operator, request())?;
        state.refused = None;
        state.charge_connection(account)
    }

    /// Gives back what the request holds: a probe is answered whatever there is.
    pub(crate) fn exempt(&self) {
        let mut state = self.inner.lock();
        state.guard = state.ledger.empty(Holder::Operator);
        state.refused = None;
    }

    /// Takes a place among the replies that may take long, in place of the one among the
    /// requests: a request that waits or follows leaves those to others.
    pub(crate) fn become_stream(&self) -> Result<(), Refusal> {
        let mut state = self.inner.lock();
        if state.guard.amount(Resource::Streams) == 0 {
            state.guard.grow(Resource::Streams, 1)?;
            state.guard.shrink(Resource::Requests, 1);
        }
        Ok(())
    }

    /// Charges bytes that are in flight until the request has ended.
    pub(crate) fn hold_memory(&self, bytes: u64) -> Result<(), Shortage> {
        self.inner.lock().guard.grow(Resource::Memory, bytes)
    }

    /// Charges what it takes to read a task with its outputs and to write them down (the
    /// bytes themselves, their text, and its JSON) until the handler is done: what it
    /// replies is charged as such.
    pub(crate) async fn hold_outputs(
        &self,
        app: &App,
        account: AccountId,
        task: Key<TaskId>,
    ) -> Result<HeldMemory<'_>, Refusal> {
        let bytes = app
            .dispatcher()
            .tasks()
            .outputs_bytes(account, task)
            .await?;
        Ok(self.hold_beyond_usual(bytes, 3)?)
    }

    /// Charges what it takes to write so many bytes of output down, as text and as JSON,
    /// until the handler is done.
    pub(crate) fn hold_text(&self, bytes: u64) -> Result<HeldMemory<'_>, Refusal> {
        Ok(self.hold_beyond_usual(bytes, 2)?)
    }

    /// Charges bytes that a handler holds until it is done.
    pub(crate) fn hold(&self, bytes: u64) -> Result<HeldMemory<'_>, Shortage> {
        self.hold_memory(bytes)?;
        Ok(HeldMemory {
            charge: self,
            bytes,
        })
    }

    /// Charges `bytes` times `times`, unless they fit into what any request takes.
    fn hold_beyond_usual(&self, bytes: u64, times: u64) -> Result<HeldMemory<'_>, Shortage> {
        let bytes = match bytes > REQUEST_BYTES {
            true => bytes.saturating_mul(times),
            false => 0,
        };
        self.hold(bytes)
    }

    fn release_memory(&self, bytes: u64) {
        self.inner.lock().guard.shrink(Resource::Memory, bytes);
    }

    /// Charges a request's body, piece by piece as it arrives.
    pub(crate) fn received(&self, body: Body) -> Body {
        Body::new(Received {
            body,
            charge: self.clone(),
        })
    }

    /// Charges a reply, and holds what the request has until the client has taken it.
    pub(crate) fn replied(&self, response: Response) -> Result<Response, Shortage> {
        let exact = response.body().size_hint().exact().unwrap_or(0);
        if exact > REQUEST_BYTES {
            self.hold_memory(exact)?;
        }
        Ok(response.map(|body| {
            Body::new(Replied {
                body,
                charge: self.clone(),
                held: if exact > REQUEST_BYTES { exact } else { 0 },
                handed_over: 0,
            })
        }))
    }
}

impl State {
    fn charge_connection(&self, holder: Holder) -> Result<(), Refusal> {
        match &self.slot {
            Some(slot) => Ok(slot.charge_to(holder)?),
            None => Ok(()),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Charge {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

/// A request's body whose bytes are charged as they arrive.
struct Received {
    body: Body,
    charge: Charge,
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let bytes = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) | None => 0,
        };
        Poll::Ready(match self.charge.hold_memory(bytes as u64) {
            Ok(()) => frame,
            Err(shortage) => Some(Err(axum::Error::new(shortage))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A reply that releases what it holds as the client receives it.
struct Replied {
    body: Body,
    charge: Charge,
    held: u64,
    /// The last piece. It counts until the next one is asked for: then it was sent.
    handed_over: u64,
}

impl HttpBody for Replied {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.handed_over > 0 {
            let taken = self.handed_over.min(self.held);
            self.charge.release_memory(taken);
            self.held -= taken;
            self.handed_over = 0;
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame {
            self.handed_over = frame.data_ref().map_or(0, Bytes::len) as u64;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
