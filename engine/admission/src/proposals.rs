//! Which WebAssembly proposals are on, and the names of those that are off.

use wasmparser::{Validator, WasmFeatures};

/// Returns the proposals that programs may use. The engine's `compiler_config` is kept
/// equal to this, except for multi-memory, which the compiler needs for its own code.
pub(crate) fn offered() -> WasmFeatures {
    let mut features = WasmFeatures::default();
    for (_, feature) in OFF {
        features.remove(feature);
    }
    features
}

/// Proposals that are off, with their usual names.
const OFF: [(&str, WasmFeatures); 15] = [
    ("threads", WasmFeatures::THREADS),
    (
        "shared-everything-threads",
        WasmFeatures::SHARED_EVERYTHING_THREADS,
    ),
    ("memory64", WasmFeatures::MEMORY64),
    ("multi-memory", WasmFeatures::MULTI_MEMORY),
    ("exceptions", WasmFeatures::EXCEPTIONS),
    ("legacy-exceptions", WasmFeatures::LEGACY_EXCEPTIONS),
    ("gc", WasmFeatures::GC),
    ("function-references", WasmFeatures::FUNCTION_REFERENCES),
    ("custom-page-sizes", WasmFeatures::CUSTOM_PAGE_SIZES),
    ("stack-switching", WasmFeatures::STACK_SWITCHING),
    ("wide-arithmetic", WasmFeatures::WIDE_ARITHMETIC),
    ("component-model-async", WasmFeatures::CM_ASYNC),
    ("component-model-gc", WasmFeatures::CM_GC),
    ("component-model-threading", WasmFeatures::CM_THREADING),
    (
        "component-model-error-context",
        WasmFeatures::CM_ERROR_CONTEXT,
    ),
];

/// Returns the name of the switched-off proposal that `bytes` need, if that is what
/// makes them invalid.
pub(crate) fn missing(bytes: &[u8]) -> Option<&'static str> {
    let valid = |features| {
        Validator::new_with_features(features)
            .validate_all(bytes)
            .is_ok()
    };
    if !valid(WasmFeatures::all()) {
        return None;
    }
    OFF.into_iter()
        .find(|(_, feature)| !valid(WasmFeatures::all() - *feature))
        .map(|(name, _)| name)
}
