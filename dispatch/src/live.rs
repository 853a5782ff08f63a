//! The output of an execution while it is being printed.
//!
//! Whoever joins late hears everything from the beginning: what was printed is
//! kept until the execution is over, and the output limit bounds it.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tenterhook_engine::{Gauge, OutputSink, Stream};
use tenterhook_ledger::{Guard, Resource};
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
pub struct LiveOutput(Source);

enum Source {
    /// It may go on to print.
    Live { live: Arc<Live>, at: Cursor },
    /// It is over, and this is left of it.
    Kept(VecDeque<Chunk>),
}

/// How far a listener has come.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    block: usize,
    span: usize,
    offset: usize,
}

impl LiveOutput {
    /// Waits for the next piece. `None` once the attempt is over and everything
    /// was told.
    ///
    /// May be dropped and called again without losing anything.
    pub async fn next(&mut self) -> Option<Chunk> {
        let (live, at) = match &mut self.0 {
            Source::Live { live, at } => (Arc::clone(live), at),
            Source::Kept(chunks) => return next_kept(chunks),
        };
        loop {
            let changed = live.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that no piece slips in between.
            changed.as_mut().enable();
            {
                let printed = live.printed.lock();
                if let Some(chunk) = printed.next(at) {
                    return Some(chunk);
                }
                if printed.closed {
                    return None;
                }
            }
            changed.await;
        }
    }
}

fn next_kept(chunks: &mut VecDeque<Chunk>) -> Option<Chunk> {
    let first = chunks.front_mut()?;
    if first.bytes.len() <= BLOCK_BYTES {
        return chunks.pop_front();
    }
    Some(Chunk {
        stream: first.stream,
        bytes: first.bytes.split_to(BLOCK_BYTES),
    })
}

/// Where a running attempt prints to, and what it has used so far.
#[derive(Default)]
pub(crate) struct Live {
    pub(crate) gauge: Arc<Gauge>,
    printed: Mutex<Printed>,
    changed: Notify,
}

/// What was printed, in blocks: all but the last are full and never change again, so
/// that whoever wants them shares them.
#[derive(Default)]
struct Printed {
    full: Vec<Full>,
    last: Vec<u8>,
    last_spans: Vec<Span>,
    closed: bool,
}

#[derive(Clone)]
struct Full {
    bytes: Bytes,
    spans: Arc<[Span]>,
}

/// Where in its block a piece of one stream ends. Two bytes, because a guest may change
/// its stream with every byte.
#[derive(Clone, Copy)]
struct Span(u16);

/// Bytes of a block. Small enough that copying the last one under its lock is nothing,
/// and that the places in it fit a [`Span`].
const BLOCK_BYTES: usize = 16 * 1024;

impl Span {
    const STDERR: u16 = 1 << 15;

    fn new(stream: Stream, end: usize) -> Self {
        let end = u16::try_from(end).expect("a block ends before 16 KiB");
        Self(match stream {
            Stream::Stdout => end,
            Stream::Stderr => end | Self::STDERR,
        })
    }

    fn stream(self) -> Stream {
        match self.0 & Self::STDERR {
            0 => Stream::Stdout,
            _ => Stream::Stderr,
        }
    }

    fn end(self) -> usize {
        usize::from(self.0 & !Self::STDERR)
    }
}

impl Printed {
    fn write(&mut self, stream: Stream, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = BLOCK_BYTES - self.last.len();
            let (taken, rest) = bytes.split_at(bytes.len().min(room));
            self.last.extend_from_slice(taken);
            let span = Span::new(stream, self.last.len());
            match self.last_spans.last_mut() {
                Some(last) if last.stream() == stream => *last = span,
                _ => self.last_spans.push(span),
            }
            if self.last.len() == BLOCK_BYTES {
                self.full.push(Full {
                    bytes: std::mem::take(&mut self.last).into(),
                    spans: std::mem::take(&mut self.last_spans).into(),
                });
            }
            bytes = rest;
        }
    }

    /// The next piece from there, if there is one yet.
    fn next(&self, at: &mut Cursor) -> Option<Chunk> {
        loop {
            let full = self.full.get(at.block);
            let spans = full.map_or(&self.last_spans[..], |full| &full.spans);
            let Some(span) = spans.get(at.span) else {
                full?;
                *at = Cursor {
                    block: at.block + 1,
                    ..Cursor::default()
                };
                continue;
            };
            let piece = at.offset..span.end();
            if piece.is_empty() {
                // The last span of the last block may grow yet.
                if full.is_none() && at.span + 1 == spans.len() {
                    return None;
                }
                at.span += 1;
                continue;
            }
            at.offset = piece.end;
            return Some(Chunk {
                stream: span.stream(),
                bytes: match full {
                    Some(full) => full.bytes.slice(piece),
                    None => Bytes::copy_from_slice(&self.last[piece]),
                },
            });
        }
    }
}

impl Live {
    /// Begins to listen from the beginning.
    pub(crate) fn listen(self: &Arc<Self>) -> LiveOutput {
        LiveOutput(Source::Live {
            live: Arc::clone(self),
            at: Cursor::default(),
        })
    }

    /// Tells the listeners that nothing more will come.
    pub(crate) fn close(&self) {
        self.printed.lock().closed = true;
        self.changed.notify_waiters();
    }

    /// How many bytes were printed so far.
    pub(crate) fn printed_bytes(&self) -> u64 {
        let printed = self.printed.lock();
        (printed.full.len() * BLOCK_BYTES + printed.last.len()) as u64
    }

    /// How many bytes of memory it takes, the notes of which stream each is of included.
    pub(crate) fn held_bytes(&self) -> u64 {
        let printed = self.printed.lock();
        let full = printed.full.iter();
        let full: usize = full
            .map(|block| block.bytes.len() + size_of_val(&*block.spans))
            .sum();
        // The last block has room for as much as the others.
        (full + BLOCK_BYTES) as u64
    }

    /// What was printed so far. Copies it all, so it is not for where a lock is held. What
    /// `charge` takes for so many bytes is held as long as the copy is.
    ///
    /// # Errors
    ///
    /// That of `charge`; nothing is copied then.
    pub(crate) fn so_far<E>(
        &self,
        charge: impl FnOnce(u64) -> Result<Guard, E>,
    ) -> Result<Output, E> {
        let full = {
            let printed = self.printed.lock();
            let mut full = printed.full.clone();
            full.push(Full {
                bytes: Bytes::copy_from_slice(&printed.last),
                spans: printed.last_spans.as_slice().into(),
            });
            full
        };
        let bytes: usize = full.iter().map(|block| block.bytes.len()).sum();
        let mut guard = charge(bytes as u64)?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        for block in &full {
            let mut start = 0;
            for span in &*block.spans {
                let piece = &block.bytes[start..span.end()];
                match span.stream() {
                    Stream::Stdout => stdout.extend_from_slice(piece),
                    Stream::Stderr => stderr.extend_from_slice(piece),
                }
                start = span.end();
            }
        }
        let of_stdout = guard.split(Resource::Memory, stdout.len() as u64);
        Ok(Output {
            stdout: charged(stdout, of_stdout),
            stderr: charged(stderr, guard),
            dropped_bytes: 0,
        })
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
        .map(|(stream, bytes)| Chunk {
            stream,
            bytes: bytes.clone(),
        });
        LiveOutput(Source::Kept(chunks.collect()))
    }
}

/// Bytes that are charged as memory until the last reference to them is gone.
fn charged(bytes: Vec<u8>, guard: Guard) -> Bytes {
    struct Charged(Vec<u8>, #[expect(dead_code, reason = "it is held")] Guard);
    impl AsRef<[u8]> for Charged {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    Bytes::from_owner(Charged(bytes, guard))
}

impl OutputSink for Live {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.printed.lock().write(stream, bytes);
        self.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    #[tokio::test]
    async fn whoever_listens_shares_what_is_there() {
        let live = Arc::new(Live::default());
        live.write(Stream::Stdout, &[7; 2 * BLOCK_BYTES]);
        let (one, other) = (live.listen().next().await, live.listen().next().await);
        assert_eq!(one.unwrap().bytes.as_ptr(), other.unwrap().bytes.as_ptr());
    }

    #[test]
    fn streams_that_alternate_byte_by_byte_are_kept_in_little_more_than_they_say() {
        let mut printed = Printed::default();
        for _ in 0..BLOCK_BYTES / 2 {
            printed.write(Stream::Stdout, b"o");
            printed.write(Stream::Stderr, b"e");
        }
        assert_eq!((printed.full.len(), printed.last.len()), (1, 0));
        assert_eq!(size_of_val(&*printed.full[0].spans), 2 * BLOCK_BYTES);
    }

    proptest! {
        #[test]
        fn every_byte_is_told_once_on_its_stream_and_in_order(
            writes in proptest::collection::vec((any::<bool>(), 0_usize..9_000, any::<bool>()), 0..40),
        ) {
            let mut printed = Printed::default();
            let mut at = Cursor::default();
            let (mut written, mut told) = (Vec::new(), Vec::new());
            let mut next = 0_u8;
            for (stderr, count, looks) in writes {
                let stream = if stderr { Stream::Stderr } else { Stream::Stdout };
                let bytes: Vec<u8> = (0..count).map(|_| { next = next.wrapping_add(1); next }).collect();
                printed.write(stream, &bytes);
                written.extend(bytes.into_iter().map(|byte| (stream, byte)));
                while looks && let Some(chunk) = printed.next(&mut at) {
                    told.extend(chunk.bytes.iter().map(|byte| (chunk.stream, *byte)));
                }
            }
            while let Some(chunk) = printed.next(&mut at) {
                told.extend(chunk.bytes.iter().map(|byte| (chunk.stream, *byte)));
            }
            prop_assert!(told == written);
            let live = Live { printed: Mutex::new(printed), ..Live::default() };
            let of = |wanted| -> Vec<u8> {
                written.iter().filter(|(stream, _)| *stream == wanted).map(|(_, byte)| *byte).collect()
            };
            let ledger = tenterhook_ledger::Ledger::default();
            let holder = tenterhook_ledger::Holder::Account(1);
            let take = |bytes| {
                ledger.take(holder, tenterhook_ledger::Amounts::of(Resource::Memory, bytes))
            };
            let so_far = live.so_far(take).unwrap();
            prop_assert_eq!(live.printed_bytes(), ledger.held(holder, Resource::Memory));
            prop_assert_eq!(&so_far.stdout, &of(Stream::Stdout));
            prop_assert_eq!(&so_far.stderr, &of(Stream::Stderr));
            drop(so_far);
            prop_assert_eq!(ledger.held(holder, Resource::Memory), 0);
        }
    }
}
