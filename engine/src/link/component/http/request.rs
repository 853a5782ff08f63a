//! A request as a guest builds it, and the memory that all of a run's requests may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::component::{LinkerInstance, Resource, Val};

use super::body::OutgoingBody;
use super::fields::Fields;
use super::{Store, failed, func, give, kept, ok, resource, unexpected};
use crate::sandbox::guest::Guest;

/// The most bytes that a run's requests may hold at a time, bodies excluded: more than servers
/// accept of one. It is part of what every run is charged for its instances.
const MOST_BYTES: usize = 256 << 10;

/// What the requests of a run hold.
#[derive(Clone, Default)]
pub(crate) struct RequestMemory(Arc<AtomicUsize>);

/// Bytes of a run's requests, until this is dropped.
pub(super) struct Held {
    memory: RequestMemory,
    bytes: usize,
}

impl RequestMemory {
    /// Counts bytes that are kept; `None` if there are too many.
    pub(super) fn hold(&self, bytes: usize) -> Option<Held> {
        let more = |held: usize| held.checked_add(bytes).filter(|held| *held <= MOST_BYTES);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.0.fetch_update(set, fetch, more).ok()?;
        Some(Held {
            memory: self.clone(),
            bytes,
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A request that is being built.
pub(super) struct OutgoingRequest {
    headers: Fields,
    /// What was set, by [`Part`].
    parts: [Option<(Val, Held)>; 4],
    has_body: bool,
}

/// What a guest can set of a request.
#[derive(Clone, Copy)]
enum Part {
    Method,
    Path,
    Scheme,
    Authority,
}

/// The timeouts of a request: until it is connected, until the first byte, between bytes.
#[derive(Default)]
pub(super) struct RequestOptions([Option<u64>; 3]);

/// Adds the resources and their functions.
pub(super) fn add(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    kept::<OutgoingRequest>(types, "outgoing-request")?;
    func(
        types,
        "[constructor]outgoing-request",
        |mut store, params| {
            let headers: Resource<Fields> = resource(&mut store, params, 0)?;
            let headers = store.data_mut().wasi().table.delete(headers)?.fixed();
            let request = OutgoingRequest {
                headers,
                parts: [const { None }; 4],
                has_body: false,
            };
            give(&mut store, request)
        },
    )?;
    func(
        types,
        "[method]outgoing-request.headers",
        |mut store, params| {
            let headers = request(&mut store, params)?.headers.clone();
            give(&mut store, headers)
        },
    )?;
    func(
        types,
        "[method]outgoing-request.body",
        |mut store, params| {
            let had_body = std::mem::replace(&mut request(&mut store, params)?.has_body, true);
            match had_body {
                true => Ok(failed()),
                false => Ok(ok(Some(give(&mut store, OutgoingBody::default())?))),
            }
        },
    )?;
    func(types, "[method]outgoing-request.method", |store, params| {
        let get = || Val::Variant("get".into(), None);
        part(store, params, Part::Method, get)
    })?;
    func(
        types,
        "[method]outgoing-request.set-method",
        |store, params| set_part(store, params, Part::Method),
    )?;
    func(
        types,
        "[method]outgoing-request.path-with-query",
        |store, params| part(store, params, Part::Path, none),
    )?;
    func(
        types,
        "[method]outgoing-request.set-path-with-query",
        |store, params| set_part(store, params, Part::Path),
    )?;
    func(types, "[method]outgoing-request.scheme", |store, params| {
        part(store, params, Part::Scheme, none)
    })?;
    func(
        types,
        "[method]outgoing-request.set-scheme",
        |store, params| set_part(store, params, Part::Scheme),
    )?;
    func(
        types,
        "[method]outgoing-request.authority",
        |store, params| part(store, params, Part::Authority, none),
    )?;
    func(
        types,
        "[method]outgoing-request.set-authority",
        |store, params| set_part(store, params, Part::Authority),
    )?;
    add_options(types)
}

fn add_options(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    kept::<RequestOptions>(types, "request-options")?;
    func(types, "[constructor]request-options", |mut store, _| {
        give(&mut store, RequestOptions::default())
    })?;
    func(
        types,
        "[method]request-options.connect-timeout",
        |store, params| timeout(store, params, 0),
    )?;
    func(
        types,
        "[method]request-options.set-connect-timeout",
        |store, params| set_timeout(store, params, 0),
    )?;
    func(
        types,
        "[method]request-options.first-byte-timeout",
        |store, params| timeout(store, params, 1),
    )?;
    func(
        types,
        "[method]request-options.set-first-byte-timeout",
        |store, params| set_timeout(store, params, 1),
    )?;
    func(
        types,
        "[method]request-options.between-bytes-timeout",
        |store, params| timeout(store, params, 2),
    )?;
    func(
        types,
        "[method]request-options.set-between-bytes-timeout",
        |store, params| set_timeout(store, params, 2),
    )
}

/// Returns the request that a method is called on.
fn request<'a>(
    store: &'a mut Store<'_>,
    params: &[Val],
) -> wasmtime::Result<&'a mut OutgoingRequest> {
    let this: Resource<OutgoingRequest> = resource(store, params, 0)?;
    Ok(store.data_mut().wasi().table.get_mut(&this)?)
}

fn none() -> Val {
    Val::Option(None)
}

fn part(
    mut store: Store<'_>,
    params: &[Val],
    part: Part,
    unset: fn() -> Val,
) -> wasmtime::Result<Val> {
    let set = request(&mut store, params)?.parts[part as usize].as_ref();
    let (value, bytes) = match set {
        Some((value, held)) => (value.clone(), held.bytes),
        None => (unset(), 0),
    };
    store.data().meter.owe_bytes(bytes);
    Ok(value)
}

fn set_part(mut store: Store<'_>, params: &[Val], part: Part) -> wasmtime::Result<Val> {
    let value = params.get(1).ok_or_else(unexpected)?;
    let bytes = text_bytes(value);
    let guest = store.data_mut();
    guest.meter.owe_bytes(bytes);
    let Some(held) = guest.wasi().http.hold(bytes) else {
        return Ok(failed());
    };
    request(&mut store, params)?.parts[part as usize] = Some((value.clone(), held));
    Ok(ok(None))
}

/// Returns the bytes of the text in a value, at any depth.
fn text_bytes(value: &Val) -> usize {
    match value {
        Val::String(text) => text.len(),
        Val::Option(Some(inner)) | Val::Variant(_, Some(inner)) => text_bytes(inner),
        _ => 0,
    }
}

fn timeout(mut store: Store<'_>, params: &[Val], at: usize) -> wasmtime::Result<Val> {
    let this: Resource<RequestOptions> = resource(&mut store, params, 0)?;
    let timeout = store.data_mut().wasi().table.get(&this)?.0[at];
    Ok(Val::Option(timeout.map(|nanos| Box::new(Val::U64(nanos)))))
}

fn set_timeout(mut store: Store<'_>, params: &[Val], at: usize) -> wasmtime::Result<Val> {
    let this: Resource<RequestOptions> = resource(&mut store, params, 0)?;
    let timeout = match params.get(1) {
        Some(Val::Option(None)) => None,
        Some(Val::Option(Some(nanos))) => match **nanos {
            Val::U64(nanos) => Some(nanos),
            _ => return Err(unexpected()),
        },
        _ => return Err(unexpected()),
    };
    store.data_mut().wasi().table.get_mut(&this)?.0[at] = timeout;
    Ok(ok(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_requests_hold_is_bounded_and_given_back() {
        let memory = RequestMemory::default();
        let most = memory.hold(MOST_BYTES).unwrap();
        assert!(memory.hold(1).is_none());
        drop(most);
        assert!(memory.hold(MOST_BYTES).is_some());
        assert!(memory.hold(usize::MAX).is_none());
    }
}
