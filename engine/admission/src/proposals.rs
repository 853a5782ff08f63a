//! Which WebAssembly proposals are on, and the names of those that are off.

use wasmparser::{BinaryReaderError, Validator, WasmFeatures};

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

/// Returns the switched-off proposal that `bytes` need, and where they need it, if that is
/// what makes them invalid. Of several it is one: a program that needs two gets one
/// thing about the one, not the place of the other.
pub(crate) fn missing(bytes: &[u8]) -> Option<(&'static str, BinaryReaderError)> {
    let validate = |features| Validator::new_with_features(features).validate_all(bytes);
    if validate(WasmFeatures::all()).is_err() {
        return None;
    }
    OFF.into_iter().find_map(|(name, feature)| {
        let error = validate(WasmFeatures::all() - feature).err()?;
        Some((name, error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with a shared memory of 64 bits: it needs two proposals.
    const SHARED_64: &[u8] = b"\0asm\x01\0\0\0\x05\x04\x01\x07\x01\x01";

    #[test]
    fn the_place_is_where_the_named_proposal_is_needed() {
        let alone = |features| Validator::new_with_features(features).validate_all(SHARED_64);
        let (name, error) = missing(SHARED_64).unwrap();
        assert_eq!(name, "threads");
        assert!(error.message().contains("threads"), "{error}");
        // What the validator says first is about the other one.
        let first = alone(offered()).err().unwrap();
        assert!(first.message().contains("memory64"), "{first}");
    }
}
