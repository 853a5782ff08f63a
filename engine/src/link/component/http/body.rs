//! The body of a request: a guest may write it, and it goes nowhere.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime::component::{LinkerInstance, Resource, Val};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamResult};

use super::{denied, failed, func, give, kept, ok, resource};
use crate::sandbox::guest::Guest;
use crate::sandbox::meter::Meter;

/// The most bytes that one step may write.
const STEP_BYTES: usize = 64 << 10;

/// The body of a request.
#[derive(Default)]
pub(super) struct OutgoingBody {
    has_stream: bool,
}

/// Takes what is written, and discards it: that the request is not sent is reported where it
/// is sent, in words that a library passes on.
struct Discarded {
    meter: Arc<Meter>,
}

/// Adds the resource and its functions.
pub(super) fn add(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    kept::<OutgoingBody>(types, "outgoing-body")?;
    func(types, "[method]outgoing-body.write", |mut store, params| {
        let this: Resource<OutgoingBody> = resource(&mut store, params, 0)?;
        let guest = store.data_mut();
        let meter = Arc::clone(&guest.meter);
        let body = guest.wasi().table.get_mut(&this)?;
        if std::mem::replace(&mut body.has_stream, true) {
            return Ok(failed());
        }
        let stream: DynOutputStream = Box::new(Discarded { meter });
        Ok(ok(Some(give(&mut store, stream)?)))
    })?;
    func(
        types,
        "[static]outgoing-body.finish",
        |mut store, params| {
            let this: Resource<OutgoingBody> = resource(&mut store, params, 0)?;
            store.data_mut().wasi().table.delete(this)?;
            if let Some(Val::Option(Some(trailers))) = params.get(1) {
                let trailers = std::slice::from_ref(&**trailers);
                let trailers: Resource<super::Fields> = resource(&mut store, trailers, 0)?;
                store.data_mut().wasi().table.delete(trailers)?;
            }
            Ok(denied())
        },
    )
}

#[async_trait]
impl Pollable for Discarded {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for Discarded {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.meter.owe_bytes(bytes.len());
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(STEP_BYTES)
    }
}
