//! The settings of the WebAssembly compiler: what decides whether compiled code can be
//! loaded.
//!
//! The build script compiles the shell with the same settings, so this file is shared by
//! path and depends on wasmtime alone.

use wasmtime::{Config, RegallocAlgorithm};

/// Returns the settings that compiled code depends on. What is off here is off for every
/// program:
///
/// - threads and shared memory: no guest may start host threads;
/// - memory64: no guest needs it, and it widens the attack surface;
/// - GC, typed function references, exceptions: each had escapes or aborts recently;
/// - component-model async (WASI 0.3): not stable upstream.
///
/// Several memories in one module are on here, but off for programs: admission refuses
/// such modules. The compiler itself creates such a module wherever two parts of a composed
/// component pass text to each other, and panics if it may not.
pub(crate) fn compiler_config() -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .async_stack_zeroing(true)
        .memory_init_cow(true)
        .cranelift_regalloc_algorithm(RegallocAlgorithm::Backtracking)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .wasm_threads(false)
        .wasm_memory64(false)
        .wasm_multi_memory(true)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .gc_support(false)
        .wasm_component_model_async(false);
    config
}
