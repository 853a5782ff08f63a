//! What a guest prints: kept up to its limit, counted beyond, stopped far beyond.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use super::meter::Meter;
use crate::invocation::{OutputSink, Stream};

/// How far beyond the output limit a guest may print before it is stopped. The output of a
/// hook that prints a little too much is truncated, and the hook continues; one that
/// prints without end is stopped for that, instead of silently burning all its fuel.
const FLOOD_FACTOR: u64 = 16;

/// The most that a guest may write at once, in bytes.
const PERMIT_BYTES: usize = 64 << 10;

/// Both output streams of one run.
pub(crate) struct Output {
    meter: Arc<Meter>,
    sink: Option<Arc<dyn OutputSink>>,
    limit: u64,
    kept: Mutex<KeptOutput>,
}

/// What was kept of the two streams, and how much there was.
#[derive(Default)]
pub(crate) struct KeptOutput {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) printed: u64,
    pub(crate) dropped: u64,
}

/// The guest printed without end.
#[derive(Debug, thiserror::Error)]
#[error("the guest printed more than {FLOOD_FACTOR} times its output limit")]
pub(crate) struct Flooded;

impl Output {
    pub(crate) fn new(
        meter: Arc<Meter>,
        sink: Option<Arc<dyn OutputSink>>,
        limit: u64,
    ) -> Arc<Self> {
        Arc::new(Self {
            meter,
            sink,
            limit,
            kept: Mutex::default(),
        })
    }

    /// Returns the meter that charges for printing.
    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// Takes what was kept.
    pub(crate) fn take(&self) -> KeptOutput {
        std::mem::take(&mut self.kept.lock())
    }

    /// Keeps as much of `bytes` as the output limit leaves room for.
    pub(crate) fn write(&self, stream: Stream, bytes: &[u8]) -> Result<(), Flooded> {
        self.meter.owe_bytes(bytes.len());
        let mut kept = self.kept.lock();
        let room = self.limit - (kept.stdout.len() + kept.stderr.len()) as u64;
        let taken = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        kept.printed += bytes.len() as u64;
        kept.dropped += (bytes.len() - taken) as u64;
        let buffer = match stream {
            Stream::Stdout => &mut kept.stdout,
            Stream::Stderr => &mut kept.stderr,
        };
        buffer.extend_from_slice(&bytes[..taken]);
        if kept.printed > self.limit.saturating_mul(FLOOD_FACTOR) {
            return Err(Flooded);
        }
        drop(kept);
        if let (Some(sink), true) = (&self.sink, taken > 0) {
            sink.write(stream, &bytes[..taken]);
        }
        Ok(())
    }
}

/// One of the two streams, as WASI needs it.
#[derive(Clone)]
pub(crate) struct Printer {
    pub(crate) output: Arc<Output>,
    pub(crate) stream: Stream,
}

impl IsTerminal for Printer {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printer {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Printer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.output
            .write(self.stream, &bytes)
            .map_err(|flooded| StreamError::Trap(flooded.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.output.meter.owe_step();
        Ok(PERMIT_BYTES)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Printer {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Printer {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.output.write(self.stream, bytes);
        Poll::Ready(written.map(|()| bytes.len()).map_err(io::Error::other))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(limit: u64) -> Arc<Output> {
        Output::new(Arc::default(), None, limit)
    }

    #[test]
    fn output_beyond_the_limit_is_dropped_and_counted() {
        let output = output(4);
        output.write(Stream::Stdout, b"abc").unwrap();
        output.write(Stream::Stderr, b"defg").unwrap();
        let kept = output.take();
        assert_eq!(
            (&kept.stdout[..], &kept.stderr[..]),
            (&b"abc"[..], &b"d"[..])
        );
        assert_eq!((kept.printed, kept.dropped), (7, 3));
    }

    #[test]
    fn printing_exactly_up_to_the_limit_drops_nothing() {
        let output = output(3);
        output.write(Stream::Stdout, b"abc").unwrap();
        assert_eq!(output.take().dropped, 0);
    }

    #[test]
    fn printing_without_end_is_a_flood() {
        let output = output(1);
        assert!((0..100).any(|_| output.write(Stream::Stdout, b"x").is_err()));
    }
}
