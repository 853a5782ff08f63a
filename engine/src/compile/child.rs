//! The compiler process, from the outside: started, fed, bounded, read.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::worker::{CPU_SECONDS, MEMORY_BYTES};
use crate::error::Error;
use crate::kind::Kind;

/// The first byte of a request for a component; any other is for a module.
pub(super) const TAG_COMPONENT: u8 = b'c';

/// The exit status of a process that has said on standard error why it gave up.
pub(super) const REFUSED: u8 = 3;

/// How long a compilation may take by the clock, whatever it is waiting for.
const WALL: Duration = Duration::from_secs(90);

/// The most of the process's complaint that is kept, in bytes.
const REASON_MAX_BYTES: usize = 2000;

/// Compiles in a process of its own. The inner error is the program's fault.
pub(super) async fn compile(
    words: Vec<PathBuf>,
    kind: Kind,
    bytes: Bytes,
) -> Result<Result<Vec<u8>, String>, Error> {
    let (program, arguments) = words
        .split_first()
        .expect("checked when the compiler was made");
    let process = async {
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        let feed = async move {
            let tag = match kind {
                Kind::Component => TAG_COMPONENT,
                Kind::Module | Kind::Script => b'm',
            };
            // A process that died early does not read on; its status says why.
            let _ = stdin.write_all(&[tag]).await;
            let _ = stdin.write_all(&bytes).await;
        };
        let ((), output) = tokio::join!(feed, child.wait_with_output());
        output
    };
    let Ok(output) = tokio::time::timeout(WALL, process).await else {
        return Ok(Err(format!(
            "compiling took longer than {} s",
            WALL.as_secs()
        )));
    };
    let output = output.map_err(|source| Error::Compiler { source })?;
    if output.status.success() {
        return Ok(Ok(output.stdout));
    }
    Ok(Err(reason(output.status, &output.stderr)))
}

/// Says in the uploader's terms what ended the process.
fn reason(status: ExitStatus, complaint: &[u8]) -> String {
    const SIGKILL: i32 = 9;
    const SIGXCPU: i32 = 24;
    if status.code() == Some(REFUSED.into()) {
        let kept = complaint.len().min(REASON_MAX_BYTES);
        return String::from_utf8_lossy(&complaint[..kept]).into_owned();
    }
    match status.signal() {
        Some(SIGKILL | SIGXCPU) => {
            format!("compiling took more than {CPU_SECONDS} s of processor time")
        }
        _ => format!(
            "the compiler gave up, most likely because it needed more than {} MiB of memory",
            MEMORY_BYTES >> 20
        ),
    }
}
