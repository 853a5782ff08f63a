//! Pre-initialises the shell guest and compiles it to machine code.

use wasmparser::ValType;
use wasmtime::{Engine, Instance, Linker, Module, Store, Val};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p1::{self, WasiP1Ctx};
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
/// The guest gets WASI without arguments, variables and files, and our own imports trap:
/// anything that it read there would be frozen into every run.
fn initialise(guest: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let mut config = wasmtime::Config::new();
    config.wasm_exceptions(false).wasm_gc(false);
    let engine = Engine::new(&config)?;
    let wizer = Wizer::new();
    let (context, instrumented) = wizer.instrument(guest)?;
    let module = Module::from_binary(&engine, &instrumented)?;
    let mut linker: Linker<WasiP1Ctx> = Linker::new(&engine);
    p1::add_to_linker_async(&mut linker, |wasi| wasi)?;
    linker.define_unknown_imports_as_traps(&module)?;
    let wasi = WasiCtxBuilder::new().inherit_stderr().build_p1();
    let mut store = Store::new(&engine, wasi);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    runtime.block_on(async {
        let instance = linker.instantiate_async(&mut store, &module).await?;
        for export in ["_initialize", wizer.get_init_func()] {
            let prepare = instance.get_typed_func::<(), ()>(&mut store, export)?;
            prepare.call_async(&mut store, ()).await?;
        }
        wizer
            .snapshot(&context, &mut Prepared { store, instance })
            .await
    })
}

/// The initialized guest, for the snapshot.
struct Prepared {
    store: Store<WasiP1Ctx>,
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
