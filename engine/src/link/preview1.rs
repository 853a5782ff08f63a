//! What core modules may import: WASI preview 1, and its predecessor `wasi_unstable`.
//!
//! All of it is ours, on the files of `tenterhook-machine`. No call blocks the thread, and
//! none but `poll_oneoff` waits; each costs what the store's call hook charges, and what
//! it owes for its own work.

mod descriptor;
mod errno;
mod layout;
mod memory;
mod path;
mod poll;
mod process;
mod rights;

use wasmtime::{Caller, Engine, Error, Extern, Linker};

use self::layout::{CURRENT, Layout, UNSTABLE};
use self::memory::Memory;
use crate::sandbox::files::Working;
use crate::sandbox::guest::Guest;
use crate::sandbox::meter::FILE_STEP;

/// Builds the linker for core modules.
pub(super) fn linker(wasm: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(wasm);
    add(&mut linker)?;
    Ok(linker)
}

/// Adds both versions.
pub(super) fn add(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    for layout in [&CURRENT, &UNSTABLE] {
        process::add(linker, layout)?;
        descriptor::add(linker, layout)?;
        path::add(linker, layout)?;
        poll::add(linker, layout)?;
    }
    Ok(())
}

/// Adds functions that do not wait, each with its parameters as they are in WASI.
macro_rules! define {
    ($linker:ident, $layout:ident: $($call:ident($($arg:ident: $type:ty),*);)*) => {
        $(
            $linker.func_wrap(
                $layout.namespace,
                stringify!($call),
                move |mut caller: wasmtime::Caller<'_, Guest>, $($arg: $type),*| {
                    let call = $crate::link::preview1::parts(&mut caller, $layout)?;
                    Fault::answer($call(call, $($arg),*))
                },
            )?;
        )*
    };
}
use define;

/// What a call works with.
struct Call<'a> {
    memory: Memory<'a>,
    guest: &'a mut Guest,
    layout: &'static Layout,
}

impl Call<'_> {
    /// Returns the run's files, at its present time.
    fn files(&self) -> Working<'_> {
        self.guest.world.files.work()
    }

    /// Owes `price`, and that of the steps that the files have taken.
    fn owe(&self, price: u64) {
        let steps = self.files().take_work();
        self.guest.meter.owe(price + steps * FILE_STEP);
    }
}

/// Returns the guest's memory and what the host holds for it.
fn parts<'a>(
    caller: &'a mut Caller<'_, Guest>,
    layout: &'static Layout,
) -> wasmtime::Result<Call<'a>> {
    let memory = match caller.data().linear {
        Some(memory) => memory,
        None => match caller.get_export("memory") {
            Some(Extern::Memory(memory)) => memory,
            _ => {
                return Err(Error::msg(
                    "the module calls WASI but exports no memory named `memory`",
                ));
            }
        },
    };
    let (memory, guest) = memory.data_and_store_mut(caller);
    Ok(Call {
        memory: Memory(memory),
        guest,
        layout,
    })
}
