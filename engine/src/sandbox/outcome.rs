//! Translates how the runtime ended a run into an outcome.

use wasmtime::{PoolConcurrencyLimitError, Trap as WasmTrap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use super::deadline::{Cut, Deadline};
use super::function_name;
use super::memory::Outgrown;
use super::output::Flooded;
use crate::outcome::{Limit, Outcome, Trap};
use crate::stack::GuestStack;
use crate::transfer;

/// Returns the outcome of a run.
///
/// # Errors
///
/// The runtime's error if the guest is not known to have caused it: by an exit, a limit, a
/// WebAssembly trap, or a call that the host refuses. A refused call always has the
/// guest's frames; an error without any, such as an exhausted instance pool, occurred
/// beneath the guest.
pub(super) fn of(
    ended: Result<wasmtime::Result<i32>, Cut>,
    deadline: &Deadline,
    memory_denied: bool,
    stack: GuestStack,
) -> wasmtime::Result<Outcome> {
    let error = match ended {
        Ok(Ok(status)) => return Ok(exited(status)),
        Err(cut) => return Ok(cut_off(cut)),
        Ok(Err(error)) => error,
    };
    if let Some(I32Exit(status)) = error.downcast_ref::<I32Exit>() {
        return Ok(exited(*status));
    }
    if error.is::<Flooded>() {
        return Ok(Outcome::Stopped {
            limit: Limit::Output,
        });
    }
    if error.is::<Outgrown>() {
        return Ok(Outcome::Stopped { limit: Limit::Host });
    }
    let is_trap = error.is::<WasmTrap>();
    let is_refused_call = error.is::<WasmBacktrace>() && !error.is::<PoolConcurrencyLimitError>();
    if !is_trap && !is_refused_call && !memory_denied {
        return Err(error);
    }
    Ok(match error.downcast_ref::<WasmTrap>() {
        Some(WasmTrap::OutOfFuel) => Outcome::Stopped { limit: Limit::Fuel },
        Some(WasmTrap::Interrupt) => cut_off(deadline.due().unwrap_or(Cut::Wall)),
        _ if memory_denied => Outcome::Stopped {
            limit: Limit::Memory,
        },
        _ => Outcome::Trapped(trap(&error, stack)),
    })
}

/// Returns the outcome for an exit status. One beyond 255 keeps its low byte, as with
/// `wait(2)`. Where that would turn a failure into a success, it is 255.
fn exited(status: i32) -> Outcome {
    Outcome::Exited {
        status: match status.to_le_bytes()[0] {
            0 if status != 0 => u8::MAX,
            low => low,
        },
    }
}

fn cut_off(cut: Cut) -> Outcome {
    match cut {
        Cut::Wall => Outcome::Stopped { limit: Limit::Wall },
        Cut::Cancelled => Outcome::Cancelled,
    }
}

fn trap(error: &wasmtime::Error, stack: GuestStack) -> Trap {
    let backtrace: Vec<String> = error
        .downcast_ref::<WasmBacktrace>()
        .map(|backtrace| backtrace.frames().iter().map(name).collect())
        .unwrap_or_default();
    let reason = match (error.downcast_ref::<WasmTrap>(), backtrace.first()) {
        (Some(WasmTrap::StackOverflow), _) => format!("wasm trap: {}", stack.exhausted()),
        (_, Some(first)) if first == transfer::GUARD_NAME => transfer::too_large(),
        _ => error.root_cause().to_string(),
    };
    Trap { reason, backtrace }
}

fn name(frame: &wasmtime::FrameInfo) -> String {
    match frame.func_name() {
        Some(name) => function_name::readable(name),
        None => format!("function {}", frame.func_index()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_never_becomes_a_success() {
        for (status, reported) in [
            (0, 0),
            (1, 1),
            (255, 255),
            (256, 255),
            (257, 1),
            (512, 255),
            (1024, 255),
            (65536, 255),
            (-1, 255),
            (-256, 255),
            (i32::MIN, 255),
        ] {
            let expected = Outcome::Exited { status: reported };
            assert_eq!(exited(status), expected, "{status}");
        }
    }
}
