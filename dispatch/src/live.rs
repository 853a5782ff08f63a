//! The output of an execution while it is being printed.
//!
//! Whoever joins late hears everything from the beginning: what was printed is
//! kept until the execution is over, and the output limit bounds it.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tenterhook_engine::{Gauge, OutputSink, Stream};
use tokio::sync::Notify;

use crate::execution::Output;

/// A piece of what an execution printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// On which of the two streams.
    pub stream: Stream,
    /// The bytes, raw: neutralise escape sequences before showing them.
    pub bytes: Bytes,
}

/// Everything that an execution prints, from its beginning.
pub struct LiveOutput {
    live: Arc<Live>,
    chunk: usize,
    offset: usize,
}

impl LiveOutput {
    /// Waits for the next piece. `None` once the attempt is over and everything
    /// was told.
    ///
    /// May be dropped and called again without losing anything.
    pub async fn next(&mut self) -> Option<Chunk> {
        let live = Arc::clone(&self.live);
        loop {
            let changed = live.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that no piece slips in between.
            changed.as_mut().enable();
            {
                let state = live.state.lock();
                if let Some(chunk) = self.take(&state) {
                    return Some(chunk);
                }
                if state.closed {
                    return None;
                }
            }
            changed.await;
        }
    }

    fn take(&mut self, state: &Printed) -> Option<Chunk> {
        while let Some((stream, bytes)) = state.chunks.get(self.chunk) {
            if let Some(rest) = bytes.get(self.offset..).filter(|rest| !rest.is_empty()) {
                self.offset = bytes.len();
                return Some(Chunk {
                    stream: *stream,
                    bytes: Bytes::copy_from_slice(rest),
                });
            }
            if self.chunk + 1 == state.chunks.len() {
                return None;
            }
            self.chunk += 1;
            self.offset = 0;
        }
        None
    }
}

/// Where a running attempt prints to, and what it has used so far.
#[derive(Default)]
pub(crate) struct Live {
    pub(crate) gauge: Arc<Gauge>,
    state: Mutex<Printed>,
    changed: Notify,
}

#[derive(Default)]
struct Printed {
    chunks: Vec<(Stream, Vec<u8>)>,
    closed: bool,
}

/// Pieces grow up to this size before the next one is begun.
const CHUNK_BYTES: usize = 16 * 1024;

impl Live {
    /// Begins to listen from the beginning.
    pub(crate) fn listen(self: &Arc<Self>) -> LiveOutput {
        LiveOutput {
            live: Arc::clone(self),
            chunk: 0,
            offset: 0,
        }
    }

    /// Tells the listeners that nothing more will come.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_waiters();
    }

    /// What was printed so far.
    pub(crate) fn so_far(&self) -> Output {
        let state = self.state.lock();
        let of = |wanted| -> Bytes {
            state
                .chunks
                .iter()
                .filter(|(stream, _)| *stream == wanted)
                .flat_map(|(_, bytes)| bytes.iter().copied())
                .collect()
        };
        Output {
            stdout: of(Stream::Stdout),
            stderr: of(Stream::Stderr),
            dropped_bytes: 0,
        }
    }

    /// Replays what a finished execution has printed: standard output, then
    /// standard error, for their interleaving is not kept.
    pub(crate) fn replay(output: &Output) -> LiveOutput {
        let chunks = [
            (Stream::Stdout, &output.stdout),
            (Stream::Stderr, &output.stderr),
        ]
        .into_iter()
        .filter(|(_, bytes)| !bytes.is_empty())
        .map(|(stream, bytes)| (stream, bytes.to_vec()))
        .collect();
        let live = Self {
            state: Mutex::new(Printed {
                chunks,
                closed: true,
            }),
            ..Self::default()
        };
        Arc::new(live).listen()
    }
}

impl OutputSink for Live {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        {
            let mut state = self.state.lock();
            match state.chunks.last_mut() {
                Some((last, chunk))
                    if *last == stream && chunk.len() + bytes.len() <= CHUNK_BYTES =>
                {
                    chunk.extend_from_slice(bytes);
                }
                _ => state.chunks.push((stream, bytes.to_vec())),
            }
        }
        self.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_joins_late_hears_everything_from_the_beginning() {
        let live = Arc::new(Live::default());
        live.write(Stream::Stdout, b"one ");
        live.write(Stream::Stdout, b"two ");
        let mut late = live.listen();
        assert_eq!(late.next().await.unwrap().bytes, "one two ");
        live.write(Stream::Stdout, b"three");
        live.write(Stream::Stderr, b"oops");
        live.close();
        assert_eq!(late.next().await.unwrap().bytes, "three");
        let oops = late.next().await.unwrap();
        assert_eq!((oops.stream, &*oops.bytes), (Stream::Stderr, &b"oops"[..]));
        assert_eq!(late.next().await, None);
    }

    #[tokio::test]
    async fn a_listener_that_waits_is_woken() {
        let live = Arc::new(Live::default());
        let mut listener = live.listen();
        let heard = tokio::spawn(async move { listener.next().await });
        tokio::task::yield_now().await;
        live.write(Stream::Stdout, b"x");
        assert_eq!(heard.await.unwrap().unwrap().bytes, "x");
    }

    #[tokio::test]
    async fn what_is_over_is_replayed_and_ends() {
        let mut replay = Live::replay(&Output {
            stdout: "out".into(),
            stderr: Bytes::new(),
            dropped_bytes: 0,
        });
        assert_eq!(replay.next().await.unwrap().bytes, "out");
        assert_eq!(replay.next().await, None);
    }
}
