//! `run` between pipes without a peer: it ends at a signal, and at its
//! deadline once that counts.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, PipeReader, PipeWriter, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use rustix::process::Signal;

use crate::tenterhook::{Program, command, signal};

/// A pipe with a name, beside the program.
fn named_pipe(program: &Program) -> PathBuf {
    let path = program.folder.path().join("pipe");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    path
}

/// How a command ends that reads from the pipe, to which nothing is ever written, when it
/// is sent a signal.
fn status_after(signal_sent: Signal, pipe: PathBuf, mut command: Command) -> Option<i32> {
    // Its deadline must not come first, however busy the machine is.
    command.args(["--timeout", "60s"]);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    // Waits until the other end is open.
    let unwritten = File::options().write(true).open(pipe).unwrap();
    signal(&child, signal_sent);
    let status = child.wait().unwrap().code();
    drop(unwritten);
    status
}

/// A pipe with room for nothing more.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (unread, pipe) = std::io::pipe().unwrap();
    // A description of its own: the pipe that a child gets still blocks.
    let mut writer = OpenOptions::new()
        .write(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(format!("/proc/self/fd/{}", pipe.as_raw_fd()))
        .unwrap();
    loop {
        match writer.write(&[b'x'; 4096]) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return (unread, pipe),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_run_that_waits_for_its_program_ends_at_a_signal() {
    for (sent, status) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let program = Program::script("");
        let pipe = named_pipe(&program);
        let mut run = command(["run"]);
        run.arg(&pipe);
        assert_eq!(status_after(sent, pipe, run), Some(status));
    }
}

#[test]
fn a_run_that_waits_for_its_data_ends_at_a_signal() {
    for flag in ["--data", "--event"] {
        let program = Program::script("cat");
        let pipe = named_pipe(&program);
        let run = program.run_command([flag, pipe.to_str().unwrap()]);
        assert_eq!(status_after(Signal::TERM, pipe, run), Some(143), "{flag}");
    }
}

/// How a command ends that reads from the pipe, to which nothing is ever written, and what
/// it says.
fn end(pipe: PathBuf, mut command: Command) -> (Option<i32>, String) {
    // Both ends, so that this waits for nobody.
    let unwritten = File::options().read(true).write(true).open(pipe).unwrap();
    let output = command.stderr(Stdio::piped()).output().unwrap();
    drop(unwritten);
    let message = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), message)
}

#[test]
fn a_run_whose_program_or_data_never_comes_ends_at_its_deadline() {
    let program = Program::script("");
    let pipe = named_pipe(&program);
    let mut run = command(["run", "--timeout", "300ms"]);
    run.arg(&pipe);
    let message = |what| {
        format!(
            "tenterhook: stopped at its wall limit, 300ms: {what} did not arrive in time; `--timeout` allows more\n"
        )
    };
    assert_eq!(end(pipe, run), (Some(124), message("the program")));
    for flag in ["--data", "--event"] {
        let program = Program::script("cat");
        let pipe = named_pipe(&program);
        let path = pipe.to_str().unwrap();
        let run = program.run_command([flag, path, "--timeout", "300ms"]);
        assert_eq!(
            end(pipe.clone(), run),
            (Some(124), message("its input")),
            "{flag}"
        );
    }
}

#[test]
fn a_run_whose_standard_input_never_ends_ends_at_its_deadline() {
    let program = Program::script("cat");
    let (input, unwritten) = std::io::pipe().unwrap();
    let mut child = program
        .run_command(["--timeout", "300ms"])
        .stdin(input)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(124));
    drop(unwritten);
}

#[test]
fn a_program_and_data_may_come_through_pipes() {
    let program = Program::script("cat");
    let pipe = named_pipe(&program);
    let child = program
        .run_command(["--data", pipe.to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::fs::write(&pipe, "{\"a\":1}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{\"a\":1}");
    let child = command(["run"])
        .arg(&pipe)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::fs::write(&pipe, "echo through").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "through\n");
}

#[test]
fn a_run_whose_messages_are_not_read_ends_at_its_deadline() {
    let program = Program::script("echo ran");
    let (unread, pipe) = full_pipe();
    let mut child = program
        .run_command(["--event", "OnAudit", "--timeout", "400ms"])
        .stdout(Stdio::null())
        .stderr(pipe.try_clone().unwrap())
        .spawn()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(124));
    drop(unread);
}

#[test]
fn a_run_whose_errors_are_not_read_ends() {
    let (unread, pipe) = full_pipe();
    let mut child = command(["run", "/nonexistent/hook.sh"])
        .stderr(pipe)
        .spawn()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(125));
    drop(unread);
}
