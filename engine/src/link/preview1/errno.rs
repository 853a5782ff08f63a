//! The error numbers of preview 1, the same in both versions.

use tenterhook_machine::Errno;

pub(super) const SUCCESS: i32 = 0;
pub(super) const FAULT: Fault = Fault::Number(21);
pub(super) const BADF: Fault = Fault::Number(8);
pub(super) const INVAL: Fault = Fault::Number(28);
pub(super) const NOTSOCK: Fault = Fault::Number(57);
pub(super) const NOTSUP: Fault = Fault::Number(58);
pub(super) const NAMETOOLONG: Fault = Fault::Number(37);
pub(super) const OVERFLOW: Fault = Fault::Number(61);
pub(super) const PERM: Fault = Fault::Number(63);
pub(super) const SPIPE: Fault = Fault::Number(70);
pub(super) const NOTCAPABLE: Fault = Fault::Number(76);

/// Why a call did not do what was asked for.
#[derive(Debug)]
pub(super) enum Fault {
    /// The guest gets this number.
    Number(i32),
    /// The guest ends.
    Trap(wasmtime::Error),
}

impl Fault {
    /// Returns what the call returns.
    pub(super) fn answer(done: Result<(), Self>) -> wasmtime::Result<i32> {
        match done {
            Ok(()) => Ok(SUCCESS),
            Err(Self::Number(number)) => Ok(number),
            Err(Self::Trap(trap)) => Err(trap),
        }
    }
}

impl From<Errno> for Fault {
    fn from(errno: Errno) -> Self {
        Self::Number(match errno {
            Errno::Badf => 8,
            Errno::Busy => 10,
            Errno::Exist => 20,
            Errno::Fbig => 22,
            Errno::Inval => 28,
            Errno::Isdir => 31,
            Errno::Loop => 32,
            Errno::Mfile => 33,
            Errno::Mlink => 34,
            Errno::Nametoolong => 37,
            Errno::Noent => 44,
            Errno::Nospc => 51,
            Errno::Notdir => 54,
            Errno::Notempty => 55,
            Errno::Notsup => 58,
            Errno::Overflow => 61,
            Errno::Perm => 63,
            Errno::Spipe => 70,
        })
    }
}

impl From<wasmtime::Error> for Fault {
    fn from(trap: wasmtime::Error) -> Self {
        Self::Trap(trap)
    }
}
