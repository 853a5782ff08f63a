//! Pre-initialises the shell guest and compiles it to machine code.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmparser::ValType;
use wasmtime::{Caller, Engine, Extern, Instance, Linker, Module, Store, Val};
use wasmtime_wizer::{InstanceState, SnapshotVal, Wizer};

use crate::bulk;
use crate::config::compiler_config;

/// Compiles the guest to code that starts with the interpreter already set up.
pub(crate) fn make(guest: &[u8]) -> Vec<u8> {
    let guest = initialise(guest).expect("the shell guest can be pre-initialised");
    let guest = bulk::split(&guest).expect("the shell guest is a module");
    let mut config = compiler_config();
    // An explicit target makes the compiler use the features that every such processor
    // has, not those of the build machine.
    let target = std::env::var_os("TARGET").expect("cargo sets TARGET");
    config
        .target(&target.to_string_lossy())
        .expect("the compiler knows the target");
    let engine = Engine::new(&config).expect("the compiler starts");
    engine
        .precompile_module(&guest)
        .expect("the shell guest compiles")
}

/// Runs the guest's own initialization and snapshots its memory.
///
/// The guest finds no arguments, no variables, and zeros for the time and for random bytes.
/// Everything else that it may import traps: what it read there would be frozen into every
/// run.
fn initialise(guest: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let mut config = wasmtime::Config::new();
    config.wasm_exceptions(false).wasm_gc(false);
    let engine = Engine::new(&config)?;
    let wizer = Wizer::new();
    let (context, instrumented) = wizer.instrument(guest)?;
    let module = Module::from_binary(&engine, &instrumented)?;
    let mut linker: Linker<()> = Linker::new(&engine);
    for sizes in ["args_sizes_get", "environ_sizes_get"] {
        linker.func_wrap("wasi_snapshot_preview1", sizes, none)?;
    }
    linker.func_wrap("wasi_snapshot_preview1", "random_get", zeros)?;
    linker.func_wrap("wasi_snapshot_preview1", "clock_time_get", epoch)?;
    linker.define_unknown_imports_as_traps(&module)?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module)?;
    for export in ["_initialize", wizer.get_init_func()] {
        let prepare = instance.get_typed_func::<(), ()>(&mut store, export)?;
        prepare.call(&mut store, ())?;
    }
    at_once(wizer.snapshot(&context, &mut Prepared { store, instance }))
}

/// Tells the guest that there are none, and that they have no bytes.
fn none(mut caller: Caller<'_, ()>, count: i32, bytes: i32) -> wasmtime::Result<i32> {
    clear(&mut caller, count, 4)?;
    clear(&mut caller, bytes, 4)?;
    Ok(0)
}

/// Gives the guest its random bytes: the keys of its hash tables, which are the same in
/// every build then.
fn zeros(mut caller: Caller<'_, ()>, at: i32, len: i32) -> wasmtime::Result<i32> {
    clear(&mut caller, at, len)?;
    Ok(0)
}

/// Tells the guest that no time has passed.
fn epoch(mut caller: Caller<'_, ()>, _clock: i32, _: i64, at: i32) -> wasmtime::Result<i32> {
    clear(&mut caller, at, 8)?;
    Ok(0)
}

fn clear(caller: &mut Caller<'_, ()>, at: i32, len: i32) -> wasmtime::Result<()> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return Err(wasmtime::Error::msg("the shell guest exports no memory"));
    };
    let zeros = vec![0; usize::try_from(len)?];
    memory.write(caller, usize::try_from(at)?, &zeros)?;
    Ok(())
}

/// Returns what a future has that waits for nothing.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the memory of an instance is there at once"),
    }
}

/// The initialized guest, for the snapshot.
struct Prepared {
    store: Store<()>,
    instance: Instance,
}

impl InstanceState for Prepared {
    async fn global_get(&mut self, name: &str, _: ValType) -> SnapshotVal {
        let global = self.instance.get_global(&mut self.store, name);
        match global
            .expect("an instrumented module exports its globals")
            .get(&mut self.store)
        {
            Val::I32(value) => SnapshotVal::I32(value),
            Val::I64(value) => SnapshotVal::I64(value),
            Val::F32(value) => SnapshotVal::F32(value),
            Val::F64(value) => SnapshotVal::F64(value),
            Val::V128(value) => SnapshotVal::V128(value.as_u128()),
            other => panic!("a global of the shell guest has the type of {other:?}"),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        let memory = self.instance.get_memory(&mut self.store, name);
        contents(
            memory
                .expect("an instrumented module exports its memory")
                .data(&self.store),
        );
    }
}
