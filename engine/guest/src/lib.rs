//! The shell guest, built from source for Wasm.
//!
//! It is a crate of its own because its build takes minutes and needs nothing: it runs beside
//! the compilation of wasmtime, which the engine's build script waits for.

/// The path of `tenterhook_shell.wasm`.
pub const PATH: &str = env!("TENTERHOOK_SHELL_GUEST");
