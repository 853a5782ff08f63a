//! Whether uploaded bytes are a program we run: checked before they cost much.

mod imports;
mod proposals;
mod script;
mod wasm;

pub(crate) use self::script::check as check_script;
pub use self::wasm::Survey;
pub(crate) use self::wasm::check as check_wasm;

/// The largest script, in bytes: 96 KiB.
pub(crate) const SCRIPT_MAX_BYTES: u64 = 96 << 10;

/// The largest module or component, in bytes, whatever an operator sets: 64 MiB.
pub(crate) const WASM_MAX_BYTES: u64 = 64 << 20;
