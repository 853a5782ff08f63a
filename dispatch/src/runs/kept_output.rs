//! What an attempt has printed, read from the store in pieces.
//!
//! A piece is read when it is asked for, so that a reader however slow holds one of
//! them. It is not for what still runs: see [`crate::LiveOutput`].

use std::sync::Arc;

use bytes::Bytes;
use tenterhook_engine::Stream;

use crate::error::{Error, Noun};
use crate::id::{AccountId, ExecutionId};
use crate::runs::execution::Output;
use crate::store::Store;

/// Most bytes of a piece. The store looks through the whole output for each, so that
/// smaller ones would make long outputs expensive.
pub const OUTPUT_PART_BYTES: u32 = 512 * 1024;

/// How many bytes are kept of what an attempt has printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputSizes {
    /// Of standard output.
    pub stdout: u64,
    /// Of standard error.
    pub stderr: u64,
}

impl OutputSizes {
    /// The sizes of an output that is in memory.
    #[must_use]
    pub fn of(output: &Output) -> Self {
        Self {
            stdout: output.stdout.len() as u64,
            stderr: output.stderr.len() as u64,
        }
    }

    /// Both together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.stdout.saturating_add(self.stderr)
    }

    /// That of one stream.
    #[must_use]
    pub fn get(&self, stream: Stream) -> u64 {
        match stream {
            Stream::Stdout => self.stdout,
            Stream::Stderr => self.stderr,
        }
    }
}

/// Which part of an output is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputPart {
    /// Whose output.
    pub execution: ExecutionId,
    /// Of which attempt.
    pub attempt: u32,
    /// Which of the two streams.
    pub stream: Stream,
    /// The first byte.
    pub offset: u64,
    /// Most bytes.
    pub most: u32,
}

/// The output of a finished attempt.
#[derive(Clone)]
pub struct KeptOutput {
    store: Arc<dyn Store>,
    account: AccountId,
    execution: ExecutionId,
    attempt: u32,
    sizes: OutputSizes,
}

impl KeptOutput {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        account: AccountId,
        (execution, attempt): (ExecutionId, u32),
        sizes: OutputSizes,
    ) -> Self {
        Self {
            store,
            account,
            execution,
            attempt,
            sizes,
        }
    }

    /// How much there is.
    #[must_use]
    pub fn sizes(&self) -> OutputSizes {
        self.sizes
    }

    /// Reads from `offset` on: at most `most` bytes, and none only at the end.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it was replaced or removed meanwhile; [`Error::Store`].
    pub async fn read(&self, stream: Stream, offset: u64, most: u32) -> Result<Bytes, Error> {
        let left = self.sizes.get(stream).saturating_sub(offset);
        if left == 0 {
            return Ok(Bytes::new());
        }
        let part = OutputPart {
            execution: self.execution,
            attempt: self.attempt,
            stream,
            offset,
            most: most.min(u32::try_from(left).unwrap_or(u32::MAX)),
        };
        let bytes = self.store.output_part(self.account, part).await?;
        bytes
            .filter(|bytes| bytes.len() == part.most as usize)
            .ok_or_else(|| Error::not_found(Noun::Execution, self.execution))
    }
}
