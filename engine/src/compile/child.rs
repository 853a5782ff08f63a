//! The compiler process, from the parent's side: started, fed, bounded, read.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use bytes::Bytes;
use rustix::process::Pid;
use tenterhook_admission::Kind;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::limits::CompileLimits;
use super::progress;
use crate::error::Error;
use crate::lockdown::Lockdown;

/// The first byte of a request for a component; any other is for a module.
pub(super) const TAG_COMPONENT: u8 = b'c';

/// The last argument of a process that runs without a lockdown.
pub(super) const NO_LOCKDOWN: &str = "no-lockdown";

/// The exit status of a process that printed on standard error why it gave up.
pub(super) const REFUSED: u8 = 3;

/// The most of the process's standard error that is kept, in bytes.
const REASON_MAX_BYTES: u64 = 2000;

/// The most machine code that is accepted from a process, in bytes. Real modules of code
/// result in up to five times their own size; larger ones than 64 MiB consist mostly of data.
/// More would take this process's memory, which the compiler's own limit does not bound.
const CODE_MAX_BYTES: u64 = 384 << 20;

/// Compiles in a separate process. The inner error is the program's fault.
pub(super) async fn compile(
    words: Vec<PathBuf>,
    limits: CompileLimits,
    lockdown: Lockdown,
    kind: Kind,
    bytes: Bytes,
) -> Result<Result<Vec<u8>, String>, Error> {
    let (program, arguments) = words
        .split_first()
        .expect("checked when the compiler was made");
    let size = bytes.len() as u64;
    let mut child = Command::new(program)
        .args(arguments)
        .args(limits.to_words(size))
        .args((lockdown == Lockdown::Off).then_some(NO_LOCKDOWN))
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| Error::Compiler { source })?;
    let id = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    let process = async {
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let stderr = child.stderr.take().expect("standard error is a pipe");
        let feed = async move {
            let tag = match kind {
                Kind::Component => TAG_COMPONENT,
                Kind::Module | Kind::Script => b'm',
            };
            // A process that died early stops reading; its status says why.
            let _ = stdin.write_all(&[tag]).await;
            let _ = stdin.write_all(&bytes).await;
        };
        let ((), code, complaint) = tokio::join!(
            feed,
            read(stdout, CODE_MAX_BYTES),
            read(stderr, REASON_MAX_BYTES)
        );
        Ok((code?, complaint?, child.wait().await?))
    };
    let used = || progress::cpu_time(id?);
    let Ok(ended) = progress::while_progressing(process, limits.stall, used).await else {
        let stall = limits.stall;
        return Ok(Err(format!("the compiler did nothing for {stall:?}")));
    };
    let (code, complaint, status) = ended.map_err(|source| Error::Compiler { source })?;
    if code.len() as u64 > CODE_MAX_BYTES {
        return Ok(Err(format!(
            "its machine code is larger than {} MiB",
            CODE_MAX_BYTES >> 20
        )));
    }
    if status.success() {
        return Ok(Ok(code));
    }
    reason(limits, size, status, &complaint)
        .map(Err)
        .map_err(|status| Error::Compiler {
            source: std::io::Error::other(format!("it was ended from outside: {status}")),
        })
}

/// Reads to the end, or one byte more than `most`. Then the pipe is closed, which kills
/// a process that continues to write.
async fn read(pipe: impl AsyncRead + Unpin, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.take(most + 1).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// Describes for the uploader what ended the process; returns the status as the error if
/// the program was not the cause.
fn reason(
    limits: CompileLimits,
    size: u64,
    status: ExitStatus,
    complaint: &[u8],
) -> Result<String, ExitStatus> {
    const SIGABRT: i32 = 6;
    const SIGKILL: i32 = 9;
    const SIGTERM: i32 = 15;
    const SIGXCPU: i32 = 24;
    if status.code() == Some(REFUSED.into()) {
        return Ok(String::from_utf8_lossy(complaint).into_owned());
    }
    match status.signal() {
        Some(SIGXCPU) => Ok(format!(
            "compiling took more than {} s of processor time, which `serve --max-compile-time` sets",
            limits.cpu_for(size).as_secs()
        )),
        Some(SIGKILL | SIGTERM) => Err(status),
        None | Some(SIGABRT) => Ok(format!(
            "the compiler gave up, most likely because it needed more than {} MiB of memory, \
             which `serve --max-compile-memory` sets",
            limits.memory >> 20
        )),
        Some(signal) => Ok(format!("the compiler crashed on it (signal {signal})")),
    }
}
