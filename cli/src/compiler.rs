//! The compiler process: this program, started again to compile one module.
//!
//! A module that takes too much time or memory to compile ends that process, not
//! the server.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

/// The argument that starts it. Not meant to be typed, so not documented.
const COMMAND: &str = "compile-worker";

/// Compiles if this process was started as the compiler.
///
/// Called before anything else: the process has little memory and few rights, and reads
/// neither flags nor environment.
pub(crate) fn run_worker() -> Option<ExitCode> {
    let mut line = env::args_os().skip(1);
    let asked = line.next().is_some_and(|word| word == COMMAND);
    asked.then(|| tenterhook_engine::compile_worker(line))
}

/// Returns the command line of such a process; `None` if this program cannot be found, in
/// which case the engine compiles in its own process.
pub(crate) fn command_line() -> Option<Vec<PathBuf>> {
    // Refers to this program even if its file has been replaced since.
    let own = PathBuf::from("/proc/self/exe");
    let program = if own.exists() {
        own
    } else {
        env::current_exe().ok()?
    };
    Some(vec![program, COMMAND.into()])
}
