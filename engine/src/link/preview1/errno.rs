//! The error numbers of preview 1 as the guest gets them, the same in both versions. An
//! error that ends the guest is not a number.

use wasmtime_wasi::p1::types;

pub(super) const SUCCESS: i32 = 0;
pub(super) const BADF: i32 = 8;
pub(super) const FAULT: i32 = 21;
pub(super) const FBIG: i32 = 22;
pub(super) const INVAL: i32 = 28;
pub(super) const MFILE: i32 = 33;
pub(super) const NAMETOOLONG: i32 = 37;
pub(super) const NOSPC: i32 = 51;
pub(super) const OVERFLOW: i32 = 61;

/// Why our call into wasmtime-wasi failed.
pub(super) enum Errno {
    /// The guest gets this number.
    Number(i32),
    /// The guest ends.
    Trap(wasmtime::Error),
}

impl Errno {
    /// Returns the number that a call returns, or the trap.
    pub(super) fn or_trap(self) -> wasmtime::Result<i32> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Trap(trap) => Err(trap),
        }
    }
}

/// Converts the error of a call into wasmtime-wasi.
pub(super) fn errno_of(error: types::Error) -> Errno {
    match error.downcast() {
        Ok(errno) => Errno::Number(u16::from(errno).into()),
        Err(trap) => Errno::Trap(trap),
    }
}
