//! The compiler process, from the inside.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, nice, setrlimit};
use tenterhook_admission::{Kind, WASM_MAX_BYTES};
use wasmtime::Engine;

use super::child::{NOT_HELD, REFUSED, TAG_COMPONENT};
use super::limits::CompileLimits;
use crate::bulk;
use crate::lockdown::{Lockdown, hold_compiler};
use crate::runtime::config::compiler_config;
use crate::transfer;

/// How far the process steps back behind those that serve and run.
const NICENESS: i32 = 10;

/// Descriptors that the process may have: its three streams and a few to spare.
const DESCRIPTORS: u64 = 16;

/// Serves one compilation: reads a program from standard input, writes its code
/// to standard output or the reason why there is none to standard error.
///
/// To be called first thing in a process of its own, started by the words in
/// [`Settings::compiler`](crate::Settings::compiler). It gives up what it does
/// not need before it reads a byte. `arguments` are those that followed these
/// words; they tell its limits.
#[must_use]
pub fn compile_worker(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let mut words: Vec<_> = arguments.take(4).collect();
    let lockdown = match words.pop_if(|word| word == NOT_HELD) {
        Some(_) => Lockdown::Off,
        None => Lockdown::On,
    };
    let limits =
        CompileLimits::of_words(words.iter()).ok_or("the arguments are not limits".to_owned());
    match limits.and_then(|limits| serve(limits, lockdown)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            // Nobody hears it if the parent is gone, and then nobody has to.
            let _ = io::stderr().write_all(reason.as_bytes());
            ExitCode::from(REFUSED)
        }
    }
}

fn serve(limits: CompileLimits, lockdown: Lockdown) -> Result<(), String> {
    limit_all(limits)
        .map_err(|error| format!("the compiler process cannot be limited: {error}"))?;
    if lockdown == Lockdown::On {
        hold_compiler().map_err(|error| format!("the compiler process cannot be held: {error}"))?;
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
    // Whoever serves and runs goes first; an upload can wait.
    nice(NICENESS)?;
    let cpu = limits.cpu_for(WASM_MAX_BYTES).as_secs();
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, DESCRIPTORS)?;
    // At the first bound the kernel sends SIGXCPU, which says why the process died;
    // the SIGKILL of the second one could have come from anywhere.
    between(Resource::Cpu, cpu, cpu.saturating_add(1))?;
    limit(Resource::As, limits.memory)
}

/// Compiles; the error is for whoever sent the program.
pub(super) fn precompile(wasm: &Engine, kind: Kind, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let prepared = prepare(bytes);
    // What cannot be read is for the compiler to refuse, in its own words.
    let program = prepared.as_deref().unwrap_or(bytes);
    let code = match kind {
        Kind::Component => wasm.precompile_component(program),
        Kind::Module | Kind::Script => wasm.precompile_module(program),
    };
    let code = code.map_err(|error| error.root_cause().to_string())?;
    prepared.map(|_| code)
}

/// Bounds what a deadline would not cut.
fn prepare(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    match transfer::bound(bytes).map_err(|error| error.to_string())? {
        Cow::Borrowed(bytes) => bulk::split(bytes),
        Cow::Owned(bytes) => bulk::split(&bytes).map(|split| Cow::Owned(split.into_owned())),
    }
    .map_err(|error| error.to_string())
}
