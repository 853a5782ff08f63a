//! The guest's entry points: before the snapshot, and for one run.
#![expect(unsafe_code, reason = "exports symbols under fixed names")]

use crate::abi::{self, Input};
use crate::job::Job;
use crate::shell::Shell;
use std::sync::Mutex;

/// The interpreter of the snapshot; taken by the one run of an instance.
static READY: Mutex<Option<Shell>> = Mutex::new(None);

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a current-thread runtime needs nothing from the host")
}

unsafe extern "C" {
    /// The linker's: runs what static initialisation the module has.
    fn __wasm_call_ctors();
}

/// Makes the module a reactor: initialised once, not at each call.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn _initialize() {
    // SAFETY: called once, before any other export.
    unsafe { __wasm_call_ctors() }
}

/// Builds and warms the interpreter; the engine snapshots what it leaves.
#[unsafe(export_name = "wizer-initialize")]
pub(crate) extern "C" fn initialize() {
    // The runtime ends here: its clock began on the machine of the build.
    let shell = runtime().block_on(Shell::build());
    *READY.lock().expect("one thread") = Some(shell);
}

/// Runs the script that the engine has ready and returns its exit status.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn run() -> i32 {
    let ready = READY.lock().expect("one thread").take();
    let runtime = runtime();
    let mut shell = ready.unwrap_or_else(|| runtime.block_on(Shell::build()));
    let ended = runtime.block_on(shell.run(job(), &abi::write));
    abi::verdict(&ended.verdict);
    if ended.starved {
        give_up();
    }
    // The instance is discarded: the memory need not be freed.
    std::mem::forget((shell, runtime));
    i32::from(ended.status)
}

/// Ends the run at its memory limit: asks for more than there is of it, so that
/// the engine knows what the end was about, and goes no further.
fn give_up() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::memory_grow(0, usize::from(u16::MAX));
    std::process::abort()
}

fn job() -> Job {
    let mut arguments = abi::arguments().into_iter();
    let name = arguments.next().unwrap_or_else(|| "sh".to_owned());
    Job {
        script: abi::input(Input::Script).unwrap_or_default(),
        name,
        arguments: arguments.collect(),
        environment: abi::environment()
            .into_iter()
            .filter_map(|entry| {
                let (name, value) = entry.split_once('=')?;
                Some((name.to_owned(), value.to_owned()))
            })
            .collect(),
        stdin: abi::input(Input::Stdin).unwrap_or_default(),
        event: abi::input(Input::Event),
        quota: abi::quota(),
        seed: abi::seed(),
    }
}
