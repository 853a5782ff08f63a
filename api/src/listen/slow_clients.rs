//! How long a client may keep its connection waiting: for a head, and for its replies.
//!
//! The timers lie in the stream itself, so they hold whatever hyper is doing with it.
//! How slowly a body may arrive is [`crate::body`]'s concern.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::connections::Slot;
use crate::door::Door;

/// A client's stream that fails when the client times out.
pub(super) struct TimedStream<S> {
    stream: S,
    slot: Arc<Slot>,
    door: Door,
    reading: Timer,
    writing: Timer,
    allowance: Allowance,
    /// Since when the client has taken nothing of what is to be sent.
    blocked_since: Option<Instant>,
}

impl<S> TimedStream<S> {
    pub(super) fn new(stream: S, slot: Arc<Slot>, door: Door) -> Self {
        Self {
            stream,
            slot,
            door,
            reading: Timer::default(),
            writing: Timer::default(),
            allowance: Allowance::new(door.reply, door.reply_rate),
            blocked_since: None,
        }
    }

    fn paced(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let now = Instant::now();
        match polled {
            Poll::Ready(result) => {
                if let Some(since) = self.blocked_since.take() {
                    self.allowance.spend(now - since);
                }
                if let Ok(bytes) = result {
                    self.allowance.earn(bytes);
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                let since = *self.blocked_since.get_or_insert(now);
                self.writing
                    .check(Some(since + self.allowance.left), context)
            }
        }
    }
}

/// Sleeps until a moment that may change.
#[derive(Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Fails once `deadline` has passed, and wakes the task when it does.
    fn check<T>(
        &mut self,
        deadline: Option<Instant>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        let Some(deadline) = deadline else {
            return Poll::Pending;
        };
        let sleep = self
            .0
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// The time that a client may keep replies waiting. What it takes earns it more, so
/// that only one slower than the rate ever runs out of it.
#[derive(Debug)]
struct Allowance {
    left: Duration,
    most: Duration,
    rate: u64,
}

impl Allowance {
    fn new(most: Duration, rate: u64) -> Self {
        Self {
            left: most,
            most,
            rate: rate.max(1),
        }
    }

    fn spend(&mut self, waited: Duration) {
        self.left = self.left.saturating_sub(waited);
    }

    fn earn(&mut self, bytes: usize) {
        let nanos = (bytes as u128).saturating_mul(1_000_000_000) / u128::from(self.rate);
        let earned = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.left = self.left.saturating_add(earned).min(self.most);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let (before, room) = (buffer.filled().len(), buffer.remaining());
        let polled = Pin::new(&mut this.stream).poll_read(context, buffer);
        let is_end =
            room > 0 && buffer.filled().len() == before && matches!(polled, Poll::Ready(Ok(())));
        if polled.is_pending() || (is_end && this.slot.hides_end(context)) {
            let deadline = this.slot.read_deadline(&this.door);
            return this.reading.check(deadline, context);
        }
        if buffer.filled().len() > before {
            this.slot.note_read();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.paced(context, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(context, parts);
        this.paced(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_client_at_the_minimum_rate_never_times_out() {
        let mut allowance = Allowance::new(2 * SECOND, 1_000);
        for _ in 0..1_000 {
            allowance.spend(SECOND);
            allowance.earn(1_000);
            assert_eq!(allowance.left, 2 * SECOND);
        }
    }

    #[test]
    fn a_client_below_the_minimum_rate_times_out() {
        let mut allowance = Allowance::new(30 * SECOND, 1_000);
        // Half as fast as the rate: each second costs half a one.
        let mut seconds = 0;
        while allowance.left >= SECOND {
            allowance.spend(SECOND);
            allowance.earn(500);
            seconds += 1;
        }
        assert_eq!(seconds, 59);
    }

    #[test]
    fn saved_time_is_bounded() {
        let mut allowance = Allowance::new(SECOND, 1);
        allowance.earn(usize::MAX);
        assert_eq!(allowance.left, SECOND);
    }
}
