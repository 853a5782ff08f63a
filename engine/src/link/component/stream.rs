//! The streams of a component's files. All of them are ready at once.

use std::sync::Arc;

use bytes::Bytes;
use tenterhook_machine::{Errno, Kind};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::files::write;
use super::opened::Held;
use crate::sandbox::meter::{FILE_CALL, Meter};

/// The most bytes that one step reads, or may write.
const STEP_BYTES: usize = 64 << 10;

/// Reads a file from some place on.
pub(super) struct FileInput {
    held: Arc<Held>,
    kind: Kind,
    at: u64,
    meter: Arc<Meter>,
}

/// Writes to a file from some place on, or at its end.
pub(super) struct FileOutput {
    held: Arc<Held>,
    kind: Kind,
    at: Option<u64>,
    meter: Arc<Meter>,
    /// A write has failed, after which there is no other.
    is_closed: bool,
}

impl FileInput {
    pub(super) fn new(held: Arc<Held>, kind: Kind, at: u64, meter: &Arc<Meter>) -> Self {
        Self {
            held,
            kind,
            at,
            meter: Arc::clone(meter),
        }
    }
}

impl FileOutput {
    pub(super) fn new(held: Arc<Held>, kind: Kind, at: Option<u64>, meter: &Arc<Meter>) -> Self {
        Self {
            held,
            kind,
            at,
            meter: Arc::clone(meter),
            is_closed: false,
        }
    }
}

#[async_trait]
impl Pollable for FileInput {
    async fn ready(&mut self) {}
}

#[async_trait]
impl Pollable for FileOutput {
    async fn ready(&mut self) {}
}

#[async_trait]
impl InputStream for FileInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.meter.owe(FILE_CALL);
        let size = size.min(STEP_BYTES);
        self.meter.owe_bytes(size);
        let mut buffer = vec![0; size];
        let target = (self.held.node, self.kind);
        let read = self.held.files.read(target, self.at, &mut buffer);
        let read = read.map_err(failed)?;
        if read == 0 && size > 0 {
            return Err(StreamError::Closed);
        }
        self.at = self.at.saturating_add(read as u64);
        buffer.truncate(read);
        Ok(buffer.into())
    }
}

#[async_trait]
impl OutputStream for FileOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.check_open()?;
        let written = self.write_all(&bytes);
        self.is_closed = written.is_err();
        written.map_err(failed)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.check_open()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.meter.owe(FILE_CALL);
        self.check_open().map(|()| STEP_BYTES)
    }
}

impl FileOutput {
    fn check_open(&self) -> StreamResult<()> {
        match self.is_closed {
            true => Err(StreamError::Closed),
            false => Ok(()),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        let target = (self.held.node, self.kind);
        let mut rest = bytes;
        while !rest.is_empty() {
            let files = &self.held.files;
            let at = self.at.unwrap_or_else(|| files.work().size(target.0));
            let written = write(files, &self.meter, target, at, rest)?;
            self.at = self.at.map(|at| at.saturating_add(written as u64));
            rest = &rest[written..];
        }
        Ok(())
    }
}

fn failed(errno: Errno) -> StreamError {
    StreamError::LastOperationFailed(errno.into())
}
