//! What the shell guest may import: our own small interface, and WASI for the rest.
//!
//! [`tenterhook_contract::shell`] describes the interface; this is the host's side of
//! it. No other guest is linked against it.

use bytes::Bytes;
use tenterhook_contract::VERDICT_MAX_BYTES;
use tenterhook_contract::shell::{
    ABSENT, INPUT_LEN, INPUT_READ, Input, LIMIT, Limit, MODULE, VERDICT,
};
use wasmtime::{Caller, Engine, Error, Extern, Linker};

use super::preview1;
use crate::sandbox::guest::{Guest, ShellInputs};
use crate::sandbox::verdict::VerdictFile;

/// Builds the linker for the shell guest.
pub(super) fn linker(wasm: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(wasm);
    preview1::add(&mut linker)?;
    linker.func_wrap(
        MODULE,
        INPUT_LEN,
        |caller: Caller<'_, Guest>, number: i32| {
            input(caller.data(), number).map_or(ABSENT, |bytes| {
                i32::try_from(bytes.len()).expect("inputs are far smaller than 2 GiB")
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        INPUT_READ,
        |mut caller: Caller<'_, Guest>, number: i32, at: i32| {
            let bytes = input(caller.data(), number).cloned().unwrap_or_default();
            caller.data().meter.owe_bytes(bytes.len());
            let memory = memory(&mut caller)?;
            memory.write(&mut caller, usize::try_from(at.cast_unsigned())?, &bytes)?;
            Ok::<(), Error>(())
        },
    )?;
    linker.func_wrap(MODULE, LIMIT, |caller: Caller<'_, Guest>, number: i32| {
        let shell = caller.data().shell.as_ref();
        let limit = shell.map_or(0, |shell| match Limit::from_number(number) {
            Some(Limit::FileBytes) => shell.files,
            Some(Limit::Inodes) => shell.inodes.into(),
            None => 0,
        });
        i64::try_from(limit).unwrap_or(i64::MAX)
    })?;
    linker.func_wrap(
        MODULE,
        VERDICT,
        |mut caller: Caller<'_, Guest>, at: i32, len: i32| {
            let file = match usize::try_from(len) {
                // `NOT_REGULAR`, which is the only negative length that the shell sends.
                Err(_) => VerdictFile::NotRegular,
                Ok(len) if len > VERDICT_MAX_BYTES => VerdictFile::TooLong,
                Ok(len) => {
                    caller.data().meter.owe_bytes(len);
                    let memory = memory(&mut caller)?;
                    let mut json = vec![0; len];
                    memory.read(&caller, usize::try_from(at.cast_unsigned())?, &mut json)?;
                    VerdictFile::Content(json)
                }
            };
            if let Some(shell) = &mut caller.data_mut().shell {
                shell.verdict = file;
            }
            Ok::<(), Error>(())
        },
    )?;
    Ok(linker)
}

fn input(guest: &Guest, number: i32) -> Option<&Bytes> {
    let ShellInputs {
        script,
        event,
        stdin,
        ..
    } = guest.shell.as_ref()?;
    match Input::from_number(number)? {
        Input::Script => Some(script),
        Input::Event => Some(event).filter(|event| !event.is_empty()),
        Input::Stdin => Some(stdin),
    }
}

fn memory(caller: &mut Caller<'_, Guest>) -> wasmtime::Result<wasmtime::Memory> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => Err(Error::msg("the shell exports no memory")),
    }
}
