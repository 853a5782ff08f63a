//! A reply in pieces, each of which is freed as soon as it was sent.
//!
//! A reply in one piece would stay in memory until the client has taken the last byte.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use hyper::body::{Frame, SizeHint};

/// Bytes of a piece. As many are written to the socket at one time.
const PIECE_BYTES: usize = 64 * 1024;

/// Collects what is written to it.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    full: VecDeque<Bytes>,
    last: BytesMut,
}

impl Chunks {
    /// The body that consists of it.
    pub(crate) fn into_body(mut self) -> Body {
        if self.full.is_empty() {
            return Body::from(self.last.freeze());
        }
        if !self.last.is_empty() {
            self.full.push_back(self.last.freeze());
        }
        Body::new(Sending(self.full))
    }
}

impl io::Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PIECE_BYTES - self.last.len();
        let taken = &bytes[..bytes.len().min(room)];
        self.last.extend_from_slice(taken);
        if self.last.len() == PIECE_BYTES {
            let full = std::mem::replace(&mut self.last, BytesMut::with_capacity(PIECE_BYTES));
            self.full.push_back(full.freeze());
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is left to be sent.
struct Sending(VecDeque<Bytes>);

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|piece| piece.len() as u64).sum())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn written_chunks_are_sent_completely_with_a_known_length() {
        for length in [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 7] {
            let bytes: Vec<u8> = (0..length).map(|n| n.to_le_bytes()[0]).collect();
            let mut chunks = Chunks::default();
            for part in bytes.chunks(1_000) {
                chunks.write_all(part).unwrap();
            }
            let body = chunks.into_body();
            assert_eq!(body.size_hint().exact(), Some(length as u64));
            let sent = body.collect().await.unwrap().to_bytes();
            assert!(sent == bytes, "{length}");
        }
    }
}
