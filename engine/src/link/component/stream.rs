//! A file's stream, with the price of what it does on other threads.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamResult,
};

use crate::sandbox::meter::{FILE_CALL, Meter};

/// A stream that charges for its work.
pub(super) struct Metered<S> {
    inner: S,
    meter: Arc<Meter>,
}

impl<S> Metered<S> {
    pub(super) fn new(inner: S, meter: &Arc<Meter>) -> Self {
        Self {
            inner,
            meter: Arc::clone(meter),
        }
    }
}

#[async_trait]
impl<S: Pollable> Pollable for Metered<S> {
    async fn ready(&mut self) {
        self.meter.owe(FILE_CALL);
        self.inner.ready().await;
    }
}

#[async_trait]
impl InputStream for Metered<DynInputStream> {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.meter.owe(FILE_CALL);
        let read = self.inner.read(size)?;
        self.meter.owe_bytes(read.len());
        Ok(read)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.meter.owe(FILE_CALL);
        let read = self.inner.blocking_read(size).await?;
        self.meter.owe_bytes(read.len());
        Ok(read)
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[async_trait]
impl OutputStream for Metered<DynOutputStream> {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.meter.owe(FILE_CALL);
        self.meter.owe_bytes(bytes.len());
        self.inner.write(bytes)
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.meter.owe(FILE_CALL);
        self.meter.owe_bytes(bytes.len());
        self.inner.blocking_write_and_flush(bytes).await
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}
