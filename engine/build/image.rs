//! Pre-initialises the shell guest and compiles it to machine code.

use wasmtime::{Engine, Linker, Store};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wizer::Wizer;

use crate::config::compiler_config;

/// Turns the guest into code that starts with the interpreter already set up.
pub(crate) fn make(guest: &[u8]) -> Vec<u8> {
    let guest = initialise(guest).expect("the shell guest can be pre-initialised");
    let mut config = compiler_config();
    // Naming the target makes the compiler use what every such processor has,
    // not what the building machine has.
    let target = std::env::var_os("TARGET").expect("cargo sets TARGET");
    config
        .target(&target.to_string_lossy())
        .expect("the compiler knows the target");
    let engine = Engine::new(&config).expect("the compiler starts");
    engine
        .precompile_module(&guest)
        .expect("the shell guest compiles")
}

/// Runs the guest's own preparation and keeps its memory as it is then.
///
/// The guest finds WASI without arguments, variables and files, and imports of
/// ours that trap: whatever it reads there would be frozen into every run.
fn initialise(guest: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let mut config = wasmtime::Config::new();
    config.wasm_exceptions(false).wasm_gc(false);
    let engine = Engine::new(&config)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    runtime.block_on(async {
        let mut linker: Linker<WasiP1Ctx> = Linker::new(&engine);
        p1::add_to_linker_async(&mut linker, |wasi| wasi)?;
        let wasi = WasiCtxBuilder::new().inherit_stderr().build_p1();
        let mut store = Store::new(&engine, wasi);
        Wizer::new()
            .run(&mut store, guest, async |store, module| {
                linker.define_unknown_imports_as_traps(module)?;
                linker.instantiate_async(store, module).await
            })
            .await
    })
}
