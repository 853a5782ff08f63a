//! The compiler process: this very program, started again to compile one module.
//!
//! A module that takes too much time or memory to compile ends that process, not
//! the server.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to start the process with. Not meant to be typed, so not documented.
const COMMAND: &str = "compile-worker";

/// Does the compiler's work if that is what this process was started for.
///
/// This comes before everything else: the process has little memory and few
/// rights left, and reads neither flags nor environment.
pub(crate) fn serve() -> Option<ExitCode> {
    let mut line = env::args_os().skip(1);
    let asked = line.next().is_some_and(|word| word == COMMAND);
    asked.then(|| tenterhook_engine::compile_worker(line))
}

/// The words that start such a process; `None` if this program cannot be found,
/// and then the engine compiles without it.
pub(crate) fn words() -> Option<Vec<PathBuf>> {
    // Leads to this very program even if its file has been replaced since.
    let own = PathBuf::from("/proc/self/exe");
    let program = if own.exists() {
        own
    } else {
        env::current_exe().ok()?
    };
    Some(vec![program, COMMAND.into()])
}
