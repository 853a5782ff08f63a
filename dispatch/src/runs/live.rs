//! The output of an execution while it is being printed.
//!
//! Late subscribers receive all output from the start: it is kept until the
//! execution is finished, and the output limit bounds it.

mod printed;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tenterhook_engine::{Gauge, OutputSink, Stream};
use tenterhook_ledger::{Guard, Resource};
use tokio::sync::Notify;
use tokio::time::Instant;

use self::printed::{BLOCK_BYTES, Cursor, Printed, streams_of};
use crate::runs::execution::Output;
use crate::runs::kept_output::OutputSizes;

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
    Live(Listener),
    /// It is finished, and this is left of it.
    Kept(VecDeque<Chunk>),
}

/// Who listens to what is still being printed.
struct Listener {
    live: Arc<Live>,
    at: Cursor,
    /// What was taken and is not delivered yet.
    taken: VecDeque<Chunk>,
    /// When that was.
    taken_at: Option<Instant>,
}

/// Time for which output is batched for a listener that has caught up. A guest
/// may print a million pieces in a second, and many may listen to it; a person sees no
/// delay.
const GATHERING: Duration = Duration::from_millis(10);

/// Listeners of one execution that are served that often. If there are more of them, each
/// is served less often: a piece costs the same for each listener.
const LISTENERS: usize = 8;

/// However many they are, they get new output at least this often.
const GATHERING_MAX: Duration = Duration::from_secs(1);

impl LiveOutput {
    /// Returns how much was printed, if no more will be.
    #[must_use]
    pub fn finished_sizes(&self) -> Option<OutputSizes> {
        let Source::Kept(chunks) = &self.0 else {
            return None;
        };
        let mut sizes = OutputSizes::default();
        for chunk in chunks {
            let size = match chunk.stream {
                Stream::Stdout => &mut sizes.stdout,
                Stream::Stderr => &mut sizes.stderr,
            };
            *size += chunk.bytes.len() as u64;
        }
        Some(sizes)
    }

    /// Waits for the next piece. `None` once the attempt is finished and everything
    /// was delivered.
    ///
    /// May be dropped and called again without losing anything.
    pub async fn next(&mut self) -> Option<Chunk> {
        match &mut self.0 {
            Source::Live(listener) => listener.next().await,
            Source::Kept(chunks) => next_kept(chunks),
        }
    }
}

impl Listener {
    async fn next(&mut self) -> Option<Chunk> {
        loop {
            if let Some(chunk) = self.taken.pop_front() {
                return Some(chunk);
            }
            if let Some(at) = self.taken_at {
                let gathering = self.live.gathering();
                if at.elapsed() < gathering && self.gathers() {
                    tokio::time::sleep_until(at + gathering).await;
                } else {
                    // There may be much more, and as many others that listen to it: what
                    // else the thread has to do goes on between two parts.
                    tokio::task::yield_now().await;
                }
            }
            let changed = self.live.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that no piece slips in between.
            changed.as_mut().enable();
            let (part, closed) = {
                let printed = self.live.printed.lock();
                (printed.take(&mut self.at), printed.closed)
            };
            match part {
                Some(part) => {
                    self.taken = part.pieces();
                    self.taken_at = Some(Instant::now());
                }
                None if closed => return None,
                None => changed.await,
            }
        }
    }

    /// Whether it is to wait although there may be something: neither a whole block nor
    /// the end is there.
    fn gathers(&self) -> bool {
        let printed = self.live.printed.lock();
        !printed.has_block(self.at) && !printed.closed
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.live.listeners.fetch_sub(1, Ordering::Relaxed);
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
    listeners: AtomicUsize,
}

impl Live {
    /// Starts to listen from the beginning.
    pub(crate) fn listen(self: &Arc<Self>) -> LiveOutput {
        self.listeners.fetch_add(1, Ordering::Relaxed);
        LiveOutput(Source::Live(Listener {
            live: Arc::clone(self),
            at: Cursor::default(),
            taken: VecDeque::new(),
            taken_at: None,
        }))
    }

    /// For how long output is batched for a listener that has caught up.
    fn gathering(&self) -> Duration {
        let times = self.listeners.load(Ordering::Relaxed).div_ceil(LISTENERS);
        let times = u32::try_from(times.max(1)).unwrap_or(u32::MAX);
        GATHERING.saturating_mul(times).min(GATHERING_MAX)
    }

    /// Notifies the listeners that nothing more will come.
    pub(crate) fn close(&self) {
        self.printed.lock().closed = true;
        self.changed.notify_waiters();
    }

    /// How many bytes were printed so far.
    pub(crate) fn printed_bytes(&self) -> u64 {
        self.printed.lock().bytes() as u64
    }

    /// How many bytes of memory it takes, the notes of which stream each is of included.
    pub(crate) fn held_bytes(&self) -> u64 {
        self.printed.lock().held_bytes() as u64
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
        let (blocks, bytes) = {
            let printed = self.printed.lock();
            (printed.blocks(), printed.bytes())
        };
        let mut guard = charge(bytes as u64)?;
        let (stdout, stderr) = streams_of(&blocks);
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
    use super::*;

    #[tokio::test]
    async fn late_subscribers_receive_all_output_from_the_start() {
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
    async fn new_output_is_batched_for_a_listener_that_has_caught_up() {
        let live = Arc::new(Live::default());
        live.write(Stream::Stdout, b"x");
        let mut listener = live.listen();
        assert_eq!(listener.next().await.unwrap().bytes, "x");
        let Source::Live(state) = &mut listener.0 else {
            panic!("it is over");
        };
        // As if it had received that a little later: there is time to print more.
        state.taken_at = Some(Instant::now() + 20 * GATHERING);
        let heard = tokio::spawn(async move { listener.next().await });
        for _ in 0..100 {
            live.write(Stream::Stdout, b"y");
            tokio::task::yield_now().await;
        }
        assert_eq!(heard.await.unwrap().unwrap().bytes, [b'y'; 100][..]);
    }

    #[test]
    fn the_more_listeners_the_longer_output_is_batched_for_each() {
        let live = Arc::new(Live::default());
        let mut listeners = vec![live.listen()];
        assert_eq!(live.gathering(), GATHERING);
        listeners.extend((1..100).map(|_| live.listen()));
        assert_eq!(live.gathering(), 13 * GATHERING);
        listeners.extend((100..10_000).map(|_| live.listen()));
        assert_eq!(live.gathering(), GATHERING_MAX);
        listeners.truncate(1);
        assert_eq!(live.gathering(), GATHERING);
    }

    #[tokio::test]
    async fn finished_output_is_replayed_and_ends() {
        let mut replay = Live::replay(&Output {
            stdout: "out".into(),
            stderr: Bytes::new(),
            dropped_bytes: 0,
        });
        assert_eq!(replay.next().await.unwrap().bytes, "out");
        assert_eq!(replay.next().await, None);
    }

    #[tokio::test]
    async fn listeners_share_one_copy_of_the_output() {
        let live = Arc::new(Live::default());
        live.write(Stream::Stdout, &[7; 2 * BLOCK_BYTES]);
        let (one, other) = (live.listen().next().await, live.listen().next().await);
        assert_eq!(one.unwrap().bytes.as_ptr(), other.unwrap().bytes.as_ptr());
    }

    #[test]
    fn a_copy_of_the_output_so_far_is_charged_as_long_as_it_is_held() {
        let live = Live::default();
        live.write(Stream::Stdout, &[1; BLOCK_BYTES + 7]);
        live.write(Stream::Stderr, &[2; 5]);
        let ledger = tenterhook_ledger::Ledger::default();
        let holder = tenterhook_ledger::Holder::Account(1);
        let amounts = |bytes| tenterhook_ledger::Amounts::of(Resource::Memory, bytes);
        let so_far = live.so_far(|bytes| ledger.take(holder, amounts(bytes)));
        let so_far = so_far.unwrap();
        let held = || ledger.held(holder, Resource::Memory);
        assert_eq!(held(), live.printed_bytes());
        drop(so_far.stdout);
        assert_eq!(held(), 5);
        drop(so_far.stderr);
        assert_eq!(held(), 0);
    }
}
