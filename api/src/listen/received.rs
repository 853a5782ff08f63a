//! A request's body, which notes when the request has arrived whole.
//!
//! Until then the end of what a client sends breaks the request off. From then on a client
//! may close its side and wait for the reply, as `nc -N` and other simple ones do.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::HttpBody;
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};

use super::connections::Slot;

pub(super) struct Received {
    body: Incoming,
    slot: Arc<Slot>,
}

impl Received {
    pub(super) fn new(body: Incoming, slot: Arc<Slot>) -> Self {
        if body.is_end_stream() {
            slot.note_whole();
        }
        Self { body, slot }
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            self.slot.note_wanting();
            return Poll::Pending;
        };
        if frame.is_none() || self.body.is_end_stream() {
            self.slot.note_whole();
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
