//! The compiler process, from the inside.

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, setrlimit};
use wasmtime::Engine;

use super::child::{REFUSED, TAG_COMPONENT};
use crate::admission::WASM_MAX_BYTES;
use crate::kind::Kind;
use crate::runtime::config::compiler_config;

/// Processor time that a compilation may take, in seconds over all threads.
pub(super) const CPU_SECONDS: u64 = 30;

/// Address space that a compilation may take, in bytes.
pub(super) const MEMORY_BYTES: u64 = 2 << 30;

/// Descriptors that the process may have: its three streams and a few to spare.
const DESCRIPTORS: u64 = 16;

/// Serves one compilation: reads a program from standard input, writes its code
/// to standard output or the reason why there is none to standard error.
///
/// To be called first thing in a process of its own, started by the words in
/// [`Settings::compiler`](crate::Settings::compiler). It gives up what it does
/// not need before it reads a byte.
#[must_use]
pub fn compile_worker() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            // Nobody hears it if the parent is gone, and then nobody has to.
            let _ = io::stderr().write_all(reason.as_bytes());
            ExitCode::from(REFUSED)
        }
    }
}

fn serve() -> Result<(), String> {
    give_up_the_rest()
        .map_err(|error| format!("the compiler process cannot be limited: {error}"))?;
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

fn give_up_the_rest() -> rustix::io::Result<()> {
    let limit = |resource, value| {
        setrlimit(
            resource,
            Rlimit {
                current: Some(value),
                maximum: Some(value),
            },
        )
    };
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, DESCRIPTORS)?;
    limit(Resource::Cpu, CPU_SECONDS)?;
    limit(Resource::As, MEMORY_BYTES)
}

/// Compiles; the error is for whoever sent the program.
pub(super) fn precompile(wasm: &Engine, kind: Kind, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let code = match kind {
        Kind::Component => wasm.precompile_component(bytes),
        Kind::Module | Kind::Script => wasm.precompile_module(bytes),
    };
    code.map_err(|error| error.root_cause().to_string())
}
