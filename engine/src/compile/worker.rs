//! The compiler process, from its own side.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, nice, setrlimit};
use tenterhook_admission::{Kind, WASM_MAX_BYTES};
use wasmtime::Engine;

use super::child::{NO_LOCKDOWN, REFUSED, TAG_COMPONENT};
use super::limits::CompileLimits;
use crate::bulk;
use crate::lockdown::{Lockdown, lock_down_compiler};
use crate::runtime::config::compiler_config;
use crate::transfer;

/// How far the process yields to those that serve and run.
const NICENESS: i32 = 10;

/// Descriptors that the process may have: its three streams and a few to spare.
const DESCRIPTORS: u64 = 16;

/// Serves one compilation: reads a program from standard input, and writes its code to
/// standard output or the reason why there is none to standard error.
///
/// To be called first thing in a separate process, started by the command line in
/// [`Settings::compiler`](crate::Settings::compiler). It drops the rights that it does not
/// need before it reads a byte. `arguments` are those after that command line; they
/// contain its limits.
#[must_use]
pub fn compile_worker(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let mut words: Vec<_> = arguments.take(4).collect();
    let lockdown = match words.pop_if(|word| word == NO_LOCKDOWN) {
        Some(_) => Lockdown::Off,
        None => Lockdown::On,
    };
    let limits =
        CompileLimits::of_words(words.iter()).ok_or("the arguments are not limits".to_owned());
    match limits.and_then(|limits| serve(limits, lockdown)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            // If the parent is gone, there is no one to report it to.
            let _ = io::stderr().write_all(reason.as_bytes());
            ExitCode::from(REFUSED)
        }
    }
}

fn serve(limits: CompileLimits, lockdown: Lockdown) -> Result<(), String> {
    limit_all(limits)
        .map_err(|error| format!("the compiler process cannot be limited: {error}"))?;
    if lockdown == Lockdown::On {
        lock_down_compiler()
            .map_err(|error| format!("the compiler process cannot be locked down: {error}"))?;
    }
    let mut request = Vec::new();
    io::stdin()
        .lock()
        .take(WASM_MAX_BYTES + 1)
        .read_to_end(&mut request)
        .map_err(|error| format!("the compiler process cannot read: {error}"))?;
    let (tag, bytes) = request
        .split_first()
        .ok_or("the compiler process was sent nothing")?;
    let kind = if *tag == TAG_COMPONENT {
        Kind::Component
    } else {
        Kind::Module
    };
    let wasm = Engine::new(&compiler_config()).map_err(|error| error.to_string())?;
    let code = precompile(&wasm, kind, bytes)?;
    io::stdout()
        .lock()
        .write_all(&code)
        .map_err(|error| format!("the compiler process cannot write: {error}"))
}

fn limit_all(limits: CompileLimits) -> rustix::io::Result<()> {
    let between = |resource, current, maximum| {
        setrlimit(
            resource,
            Rlimit {
                current: Some(current),
                maximum: Some(maximum),
            },
        )
    };
    let limit = |resource, value| between(resource, value, value);
    // Serving and running goes first; an upload can wait.
    nice(NICENESS)?;
    let cpu = limits.cpu_for(WASM_MAX_BYTES).as_secs();
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, DESCRIPTORS)?;
    // At the soft limit the kernel sends SIGXCPU, which shows why the process died; the
    // SIGKILL of the hard limit could have come from anywhere.
    between(Resource::Cpu, cpu, cpu.saturating_add(1))?;
    limit(Resource::As, limits.memory)
}

/// Compiles a program; the error is for its uploader.
pub(super) fn precompile(wasm: &Engine, kind: Kind, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let prepared = prepare(bytes);
    // The compiler itself refuses what cannot be parsed, with its own message.
    let program = prepared.as_deref().unwrap_or(bytes);
    let code = match kind {
        Kind::Component => wasm.precompile_component(program),
        Kind::Module | Kind::Script => wasm.precompile_module(program),
    };
    let code = code.map_err(|error| error.root_cause().to_string())?;
    prepared.map(|_| code)
}

/// Bounds what a deadline would not interrupt.
fn prepare(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    match transfer::bound(bytes).map_err(|error| error.to_string())? {
        Cow::Borrowed(bytes) => bulk::split(bytes),
        Cow::Owned(bytes) => bulk::split(&bytes).map(|split| Cow::Owned(split.into_owned())),
    }
    .map_err(|error| error.to_string())
}
