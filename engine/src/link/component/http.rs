//! Outgoing HTTP of WASI 0.2, which no hook is granted.
//!
//! Many toolchains import it whether or not a program sends anything, so it can be linked. A
//! program may build a request; sending it fails with an error that its library knows. What
//! only a server or a reply would need is a trap.

mod body;
mod fields;
mod request;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, LinkerInstance, Resource, ResourceAny, ResourceType, Val};

use self::fields::Fields;
pub(crate) use self::request::RequestMemory;
use self::request::{OutgoingRequest, RequestOptions};
use crate::sandbox::guest::Guest;

/// Any version of 0.2 stands for all: they define the same.
const TYPES: &str = "wasi:http/types@0.2.3";
const HANDLER: &str = "wasi:http/outgoing-handler@0.2.3";

/// Fuel for each byte of a list. Each is lifted or lowered as a value of its own: 65 ns where
/// this crate is not optimised.
const LISTED_BYTE: u64 = 650;

/// Resources that no guest ever holds, and the functions that need one.
const UNAVAILABLE: [(&str, &[&str]); 6] = [
    (
        "incoming-request",
        &[
            "[method]incoming-request.method",
            "[method]incoming-request.path-with-query",
            "[method]incoming-request.scheme",
            "[method]incoming-request.authority",
            "[method]incoming-request.headers",
            "[method]incoming-request.consume",
        ],
    ),
    (
        "incoming-response",
        &[
            "[method]incoming-response.status",
            "[method]incoming-response.headers",
            "[method]incoming-response.consume",
        ],
    ),
    (
        "incoming-body",
        &[
            "[method]incoming-body.stream",
            "[static]incoming-body.finish",
        ],
    ),
    (
        "future-trailers",
        &[
            "[method]future-trailers.subscribe",
            "[method]future-trailers.get",
        ],
    ),
    (
        "outgoing-response",
        &[
            "[constructor]outgoing-response",
            "[method]outgoing-response.status-code",
            "[method]outgoing-response.set-status-code",
            "[method]outgoing-response.headers",
            "[method]outgoing-response.body",
        ],
    ),
    ("response-outparam", &["[static]response-outparam.set"]),
];

/// A resource that no guest ever holds.
struct Unavailable<const N: usize>;

type Store<'a> = StoreContextMut<'a, Guest>;

/// Adds the interfaces to the linker.
pub(super) fn add(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut types = linker.instance(TYPES)?;
    unavailable::<0>(&mut types)?;
    unavailable::<1>(&mut types)?;
    unavailable::<2>(&mut types)?;
    unavailable::<3>(&mut types)?;
    unavailable::<4>(&mut types)?;
    unavailable::<5>(&mut types)?;
    let pending = "future-incoming-response";
    types.resource(pending, ResourceType::host::<Pending>(), |_, _| Ok(()))?;
    for function in ["subscribe", "get"] {
        trap(&mut types, &format!("[method]{pending}.{function}"))?;
    }
    func(&mut types, "http-error-code", |mut store, params| {
        // No error of a stream is one of HTTP.
        let _error: Resource<wasmtime::Error> = resource(&mut store, params, 0)?;
        Ok(Val::Option(None))
    })?;
    fields::add(&mut types)?;
    request::add(&mut types)?;
    body::add(&mut types)?;
    let mut handler = linker.instance(HANDLER)?;
    func(&mut handler, "handle", |mut store, params| {
        let request = resource::<OutgoingRequest>(&mut store, params, 0)?;
        let options = match params.get(1) {
            Some(Val::Option(Some(options))) => Some(resource::<RequestOptions>(
                &mut store,
                std::slice::from_ref(options),
                0,
            )?),
            _ => None,
        };
        let table = &mut store.data_mut().wasi().table;
        table.delete(request)?;
        options.map(|options| table.delete(options)).transpose()?;
        Ok(denied())
    })
}

/// What a request that is sent would become.
struct Pending;

/// Defines a resource that no guest ever holds, and its functions.
fn unavailable<const N: usize>(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    let (name, functions) = UNAVAILABLE[N];
    types.resource(name, ResourceType::host::<Unavailable<N>>(), |_, _| Ok(()))?;
    functions.iter().try_for_each(|name| trap(types, name))
}

/// Defines a function that traps when it is called.
fn trap(types: &mut LinkerInstance<'_, Guest>, name: &str) -> wasmtime::Result<()> {
    let reason = format!("outgoing HTTP is not granted: `{name}` of wasi:http is not available");
    types.func_new(name, move |_, _, _, _| {
        Err(wasmtime::Error::msg(reason.clone()))
    })
}

/// Defines a function with one result.
fn func(
    instance: &mut LinkerInstance<'_, Guest>,
    name: &str,
    body: fn(Store<'_>, &[Val]) -> wasmtime::Result<Val>,
) -> wasmtime::Result<()> {
    instance.func_new(name, move |store, _, params, results| {
        results[0] = body(store, params)?;
        Ok(())
    })
}

/// Defines a resource that is kept in the guest's table.
fn kept<T: Send + 'static>(
    types: &mut LinkerInstance<'_, Guest>,
    name: &str,
) -> wasmtime::Result<()> {
    types.resource(name, ResourceType::host::<T>(), |mut store, number| {
        let table = &mut store.data_mut().wasi().table;
        table.delete(Resource::<T>::new_own(number))?;
        Ok(())
    })
}

/// Takes a resource out of the parameters.
fn resource<T: 'static>(
    store: &mut Store<'_>,
    params: &[Val],
    at: usize,
) -> wasmtime::Result<Resource<T>> {
    match params.get(at) {
        Some(Val::Resource(any)) => any.try_into_resource(store),
        _ => Err(unexpected()),
    }
}

/// Gives the guest a new resource.
fn give<T: Send + 'static>(store: &mut Store<'_>, new: T) -> wasmtime::Result<Val> {
    let new = store.data_mut().wasi().table.push(new)?;
    let any = ResourceAny::try_from_resource(new, store)?;
    Ok(Val::Resource(any))
}

fn text(params: &[Val], at: usize) -> wasmtime::Result<&str> {
    match params.get(at) {
        Some(Val::String(text)) => Ok(text),
        _ => Err(unexpected()),
    }
}

/// The parameters of functions have the types of WASI; this host does not tell them apart by
/// its own types.
fn unexpected() -> wasmtime::Error {
    wasmtime::Error::msg("a function of wasi:http was imported with types that it does not have")
}

fn ok(value: Option<Val>) -> Val {
    Val::Result(Ok(value.map(Box::new)))
}

fn failed() -> Val {
    Val::Result(Err(None))
}

/// The error code of WASI for a request that the host does not send.
fn denied() -> Val {
    let code = Val::Variant("HTTP-request-denied".into(), None);
    Val::Result(Err(Some(Box::new(code))))
}
