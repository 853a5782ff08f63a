//! What an execution has printed so far, in blocks that all listeners share.
//!
//! It knows nothing of waiting: it is looked at while its lock is held.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tenterhook_engine::Stream;

use super::Chunk;

/// How far a listener has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    block: usize,
    span: usize,
    offset: usize,
}

/// What was printed, in blocks: all but the last are full and never change again, so
/// that all readers share them.
#[derive(Default)]
pub(super) struct Printed {
    full: Vec<Full>,
    last: Vec<u8>,
    last_spans: Vec<Span>,
    pub(super) closed: bool,
}

#[derive(Clone)]
pub(super) struct Full {
    bytes: Bytes,
    spans: Arc<[Span]>,
}

/// Where in its block a piece of one stream ends. Two bytes, because a guest may change
/// its stream with every byte.
#[derive(Clone, Copy)]
struct Span(u16);

/// Bytes of a block. Small enough that copying the last one under its lock is nothing,
/// and that the places in it fit a [`Span`].
pub(super) const BLOCK_BYTES: usize = 16 * 1024;

/// Pieces of a block that are received one by one, in the order of printing.
/// A program that changes its stream more often than that is delivered as one piece for each
/// stream: an event for every byte would cost far more than the byte.
const PIECES_MAX: usize = 32;

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
    pub(super) fn write(&mut self, stream: Stream, mut bytes: &[u8]) {
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

    /// How many bytes were printed.
    pub(super) fn bytes(&self) -> usize {
        self.full.len() * BLOCK_BYTES + self.last.len()
    }

    /// How many bytes of memory it takes, the notes of which stream each is of included.
    pub(super) fn held_bytes(&self) -> usize {
        let full = self.full.iter();
        let full = full.map(|block| block.bytes.len() + size_of_val(&*block.spans));
        // The last block has room for as much as the others.
        full.sum::<usize>() + BLOCK_BYTES
    }

    /// Whether a whole block is there from there on.
    pub(super) fn has_block(&self, at: Cursor) -> bool {
        at.block < self.full.len()
    }

    /// What is there of the next block from there on, if anything is.
    pub(super) fn take(&self, at: &mut Cursor) -> Option<Part> {
        while let Some(full) = self.full.get(at.block) {
            let from = std::mem::replace(
                at,
                Cursor {
                    block: at.block + 1,
                    ..Cursor::default()
                },
            );
            if from.offset < full.bytes.len() {
                return Some(Part {
                    bytes: full.bytes.slice(from.offset..),
                    offset: from.offset,
                    spans: Arc::clone(&full.spans),
                    first: from.span,
                });
            }
        }
        let new = &self.last[at.offset..];
        if new.is_empty() {
            return None;
        }
        let part = Part {
            bytes: Bytes::copy_from_slice(new),
            offset: at.offset,
            spans: self.last_spans[at.span..].into(),
            first: 0,
        };
        // The last span may grow yet.
        at.span = self.last_spans.len() - 1;
        at.offset = self.last.len();
        Some(part)
    }

    /// Everything, to be copied when the lock is no longer held.
    pub(super) fn blocks(&self) -> Vec<Full> {
        let mut full = self.full.clone();
        full.push(Full {
            bytes: Bytes::copy_from_slice(&self.last),
            spans: self.last_spans.as_slice().into(),
        });
        full
    }
}

/// A part of a block up to its end, to be delivered when the lock is no longer held.
pub(super) struct Part {
    bytes: Bytes,
    /// Where in the block it begins.
    offset: usize,
    spans: Arc<[Span]>,
    /// The span in which it begins.
    first: usize,
}

impl Part {
    /// Its pieces: as they were printed, or one for each stream if they are too many.
    pub(super) fn pieces(&self) -> VecDeque<Chunk> {
        if self.spans.len() - self.first <= PIECES_MAX {
            let piece = |(range, stream)| Chunk {
                stream,
                bytes: self.bytes.slice(range),
            };
            return self.ranges().map(piece).collect();
        }
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        for (range, stream) in self.ranges() {
            let bytes = &self.bytes[range];
            match stream {
                Stream::Stdout => stdout.extend_from_slice(bytes),
                Stream::Stderr => stderr.extend_from_slice(bytes),
            }
        }
        [(Stream::Stdout, stdout), (Stream::Stderr, stderr)]
            .into_iter()
            .filter(|(_, bytes)| !bytes.is_empty())
            .map(|(stream, bytes)| Chunk {
                stream,
                bytes: bytes.into(),
            })
            .collect()
    }

    /// Where its pieces lie in its bytes.
    fn ranges(&self) -> impl Iterator<Item = (Range<usize>, Stream)> {
        let spans = self.spans[self.first..].iter();
        let ranges = spans.scan(0, |start, span| {
            let range = *start..span.end() - self.offset;
            *start = range.end;
            Some((range, span.stream()))
        });
        ranges.filter(|(range, _)| !range.is_empty())
    }
}

/// Standard output and standard error, each as a whole.
pub(super) fn streams_of(blocks: &[Full]) -> (Vec<u8>, Vec<u8>) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    for block in blocks {
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
    (stdout, stderr)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All bytes of one of the streams.
    fn of(pieces: &[(Stream, u8)], wanted: Stream) -> Vec<u8> {
        let of_it = pieces.iter().filter(|(stream, _)| *stream == wanted);
        of_it.map(|(_, byte)| *byte).collect()
    }

    #[test]
    fn streams_that_alternate_byte_by_byte_take_little_more_memory_than_their_bytes() {
        let mut printed = Printed::default();
        for _ in 0..BLOCK_BYTES / 2 {
            printed.write(Stream::Stdout, b"o");
            printed.write(Stream::Stderr, b"e");
        }
        assert_eq!((printed.full.len(), printed.last.len()), (1, 0));
        assert_eq!(size_of_val(&*printed.full[0].spans), 2 * BLOCK_BYTES);
    }

    #[test]
    fn streams_that_alternate_byte_by_byte_are_delivered_in_one_piece_each() {
        let mut printed = Printed::default();
        for _ in 0..1_000 {
            printed.write(Stream::Stdout, b"o");
            printed.write(Stream::Stderr, b"e");
        }
        let mut at = Cursor::default();
        let heard = printed.take(&mut at).unwrap().pieces();
        let heard: Vec<_> = heard
            .iter()
            .map(|chunk| (chunk.stream, chunk.bytes.len()))
            .collect();
        assert_eq!(heard, [(Stream::Stdout, 1_000), (Stream::Stderr, 1_000)]);
        assert!(printed.take(&mut at).is_none());
        // A few are delivered as they were printed.
        printed.write(Stream::Stderr, b"e");
        printed.write(Stream::Stdout, b"o");
        let heard = printed.take(&mut at).unwrap().pieces();
        assert_eq!(
            (heard[0].stream, heard[1].stream),
            (Stream::Stderr, Stream::Stdout)
        );
    }

    proptest! {
        #[test]
        fn every_byte_is_delivered_once_on_its_stream_and_in_order(
            writes in proptest::collection::vec((any::<bool>(), 0_usize..9_000, any::<bool>()), 0..30),
        ) {
            let mut printed = Printed::default();
            let mut at = Cursor::default();
            let (mut written, mut heard) = (Vec::new(), Vec::new());
            let mut next = 0_u8;
            let mut tell = |part: Option<Part>| {
                for chunk in part.iter().flat_map(Part::pieces) {
                    heard.extend(chunk.bytes.iter().map(|byte| (chunk.stream, *byte)));
                }
                part.is_some()
            };
            for (stderr, count, looks) in writes {
                let stream = if stderr { Stream::Stderr } else { Stream::Stdout };
                let bytes: Vec<u8> = (0..count).map(|_| { next = next.wrapping_add(1); next }).collect();
                printed.write(stream, &bytes);
                written.extend(bytes.into_iter().map(|byte| (stream, byte)));
                while looks && tell(printed.take(&mut at)) {}
            }
            while tell(printed.take(&mut at)) {}
            // No more pieces than may be delivered one by one, so even their interleaving is kept.
            prop_assert!(heard == written);
            prop_assert_eq!(printed.bytes(), written.len());
            let (stdout, stderr) = streams_of(&printed.blocks());
            prop_assert_eq!(stdout, of(&written, Stream::Stdout));
            prop_assert_eq!(stderr, of(&written, Stream::Stderr));
        }

        #[test]
        fn joined_pieces_hold_every_byte_of_their_stream_in_order(
            writes in proptest::collection::vec((any::<bool>(), 1_usize..4), 0..3_000),
            looks in 1_usize..200,
        ) {
            let mut printed = Printed::default();
            let mut at = Cursor::default();
            let (mut written, mut heard) = (Vec::new(), Vec::new());
            let mut next = 0_u8;
            let mut tell = |part: Option<Part>| {
                for chunk in part.iter().flat_map(Part::pieces) {
                    heard.extend(chunk.bytes.iter().map(|byte| (chunk.stream, *byte)));
                }
                part.is_some()
            };
            for (index, (stderr, count)) in writes.into_iter().enumerate() {
                let stream = if stderr { Stream::Stderr } else { Stream::Stdout };
                let bytes: Vec<u8> = (0..count).map(|_| { next = next.wrapping_add(1); next }).collect();
                printed.write(stream, &bytes);
                written.extend(bytes.into_iter().map(|byte| (stream, byte)));
                if index % looks == 0 {
                    tell(printed.take(&mut at));
                }
            }
            while tell(printed.take(&mut at)) {}
            for stream in [Stream::Stdout, Stream::Stderr] {
                prop_assert_eq!(of(&heard, stream), of(&written, stream));
            }
        }
    }
}
