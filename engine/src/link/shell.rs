//! What the shell guest may import: our own small interface, and WASI for the rest.
//!
//! The shell's side of it is described in the shell crate. No other guest is
//! linked against it.

use bytes::Bytes;
use tenterhook_sdk::contract::VERDICT_MAX_BYTES;
use wasmtime::{Caller, Engine, Error, Extern, Linker};

use super::preview1;
use crate::sandbox::guest::{Guest, ShellInputs};
use crate::sandbox::verdict::Left;

const MODULE: &str = "tenterhook_shell";

/// Builds the linker for the shell guest.
pub(super) fn linker(wasm: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(wasm);
    preview1::add(&mut linker)?;
    linker.func_wrap(
        MODULE,
        "input_len",
        |caller: Caller<'_, Guest>, which: i32| {
            input(caller.data(), which).map_or(-1, |bytes| {
                i32::try_from(bytes.len()).expect("inputs are far smaller than 2 GiB")
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "input_read",
        |mut caller: Caller<'_, Guest>, which: i32, at: i32| {
            let bytes = input(caller.data(), which).cloned().unwrap_or_default();
            caller.data().meter.owe_bytes(bytes.len());
            let memory = memory(&mut caller)?;
            memory.write(&mut caller, usize::try_from(at.cast_unsigned())?, &bytes)?;
            Ok::<(), Error>(())
        },
    )?;
    linker.func_wrap(MODULE, "limit", |caller: Caller<'_, Guest>, which: i32| {
        let shell = caller.data().shell.as_ref();
        let limit = shell.map_or(0, |shell| match which {
            0 => shell.files,
            1 => shell.inodes.into(),
            _ => 0,
        });
        i64::try_from(limit).unwrap_or(i64::MAX)
    })?;
    linker.func_wrap(
        MODULE,
        "verdict",
        |mut caller: Caller<'_, Guest>, at: i32, len: i32| {
            let left = match usize::try_from(len) {
                Err(_) => Left::NoFile,
                Ok(len) if len > VERDICT_MAX_BYTES => Left::TooLong,
                Ok(len) => {
                    caller.data().meter.owe_bytes(len);
                    let memory = memory(&mut caller)?;
                    let mut json = vec![0; len];
                    memory.read(&caller, usize::try_from(at.cast_unsigned())?, &mut json)?;
                    Left::Text(json)
                }
            };
            if let Some(shell) = &mut caller.data_mut().shell {
                shell.verdict = left;
            }
            Ok::<(), Error>(())
        },
    )?;
    Ok(linker)
}

fn input(guest: &Guest, which: i32) -> Option<&Bytes> {
    let ShellInputs {
        script,
        event,
        stdin,
        ..
    } = guest.shell.as_ref()?;
    match which {
        0 => Some(script),
        1 => Some(event).filter(|event| !event.is_empty()),
        2 => Some(stdin),
        _ => None,
    }
}

fn memory(caller: &mut Caller<'_, Guest>) -> wasmtime::Result<wasmtime::Memory> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => Err(Error::msg("the shell exports no memory")),
    }
}
