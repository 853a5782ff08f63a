//! The exit status of `run`: the program's own, or why it had none.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use rustix::process::Signal;
use tenterhook_tests_artifacts::handmade::recursing;
use wasm_encoder::{BlockType, Instruction};

use crate::tenterhook::{self, Finished, Program, command};
use crate::tiny;

#[test]
fn the_status_of_a_script_is_passed_on() {
    for status in [0, 1, 2, 7, 124, 200, 255] {
        Program::script(&format!("exit {status}"))
            .run(&[])
            .with_status(status);
    }
}

#[test]
fn the_status_of_a_module_is_passed_on() {
    for status in [0, 7, 255] {
        Program::module(tiny::exiting(status))
            .run(&[])
            .with_status(status);
    }
}

#[test]
fn a_deadline_ends_a_run_with_124() {
    let script = Program::script("while :; do :; done");
    let result = script.run(&["--timeout", "200ms", "--fuel", "200G"]);
    result
        .with_status(124)
        .with_stderr("stopped at its wall limit, 200ms");
}

#[test]
fn a_deadline_ends_sleep_too() {
    let script = Program::script("sleep 1h");
    script.run(&["--timeout", "200ms"]).with_status(124);
}

#[test]
fn used_up_fuel_ends_a_run_with_137() {
    let spinning = tiny::command(&[
        Instruction::Loop(BlockType::Empty),
        Instruction::Br(0),
        Instruction::End,
    ]);
    let result = Program::module(spinning).run(&["--fuel", "1M"]);
    result
        .with_status(137)
        .with_stderr("stopped at its fuel limit, 1 M");
}

#[test]
fn a_flood_of_output_ends_a_run_with_137() {
    let result = Program::script("yes").run(&["--output", "4KiB", "--timeout", "20s"]);
    let result = result
        .with_status(137)
        .with_stderr("stopped at its output limit, 4 KiB");
    assert_eq!(result.stdout.len(), 4096);
}

#[test]
fn a_trap_ends_a_run_with_134() {
    let result = Program::module(tiny::trapping()).run(&[]);
    result.with_status(134).with_stderr("trapped: ");
}

#[test]
fn a_deep_recursion_is_a_trap_that_names_the_flag_which_allows_it() {
    let deep = Program::module(recursing(50_000));
    let message = "trapped: wasm trap: call stack exhausted at 512 KiB; `--stack` allows more";
    deep.run(&[]).with_status(134).with_stderr(message);
    deep.run(&["--stack", "8MiB"]).with_status(0);
    let mut by_variable = deep.run_command([] as [&str; 0]);
    by_variable.env("TENTERHOOK_STACK", "8MiB");
    Finished::of(by_variable.output().unwrap()).with_status(0);
    deep.run(&["--stack", "9MiB"])
        .with_status(125)
        .with_stderr("`--stack` must be from 64 KiB to 8 MiB, not 9MiB");
}

#[test]
fn a_refused_program_ends_a_run_with_125() {
    let result = Program::script("#!/usr/bin/perl\nprint 1;\n").run(&[]);
    result
        .with_status(125)
        .with_stderr("asks for the interpreter `/usr/bin/perl`");
    Program::module(tiny::reactor())
        .run(&[])
        .with_status(125)
        .with_stderr("`_start`");
}

#[test]
fn a_missing_file_ends_a_run_with_125() {
    let result = Finished::of(command(["run", "/nonexistent/hook.sh"]).output().unwrap());
    result
        .with_status(125)
        .with_stderr("cannot read /nonexistent/hook.sh: No such file or directory");
}

#[test]
fn wrong_flags_end_a_run_with_125_and_are_all_named() {
    let script = Program::script("exit 2");
    let result = script.run(&["--memory", "1TiB", "--timeout", "5", "--event", "Nonsense"]);
    let result = result.with_status(125).with_stderr("`--memory` ");
    result.with_stderr("`--timeout` ").with_stderr("`--event` ");
    script.run(&["--no-such-flag"]).with_status(125);
}

#[test]
fn a_limit_cannot_be_above_the_ceiling() {
    let result = Program::script(":").run(&["--fuel", "201G"]);
    result
        .with_status(125)
        .with_stderr("`--fuel` can be 200 G at most, not 201 G");
}

#[test]
fn an_interrupt_cancels_the_run_with_130() {
    let status = status_after(Signal::INT);
    assert_eq!(status, Some(130));
}

#[test]
fn a_request_to_terminate_cancels_the_run_with_143() {
    let status = status_after(Signal::TERM);
    assert_eq!(status, Some(143));
}

/// Sends a signal to a run once its first line has arrived, so it is running.
fn status_after(signal: Signal) -> Option<i32> {
    let script = Program::script("echo running; sleep 1h");
    let mut child = script
        .run_command(["--timeout", "60s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "running\n");
    tenterhook::signal(&child, signal);
    child.wait().unwrap().code()
}

#[test]
fn a_run_whose_output_is_no_longer_read_ends() {
    let script = Program::script("while :; do echo more; done");
    let mut child = script
        .run_command(["--output", "16MiB"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::with_capacity(8, child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(141));
}

/// Prints more than a pipe holds, and ends by itself.
const MUCH: &str = "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done";

#[test]
fn a_run_whose_output_is_not_read_ends_at_its_deadline() {
    for script in [MUCH, "while :; do echo more; done"] {
        let script = Program::script(script);
        let (unread, pipe) = std::io::pipe().unwrap();
        let mut child = script
            .run_command([
                "--output",
                "16MiB",
                "--timeout",
                "400ms",
                "--fuel",
                "200G",
                "--bill",
            ])
            .stdout(pipe.try_clone().unwrap())
            .stderr(pipe)
            .spawn()
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(124));
        drop(unread);
    }
}

#[test]
fn a_run_whose_output_is_not_read_ends_at_a_signal() {
    let script = Program::script(MUCH);
    let mut child = script
        .run_command(["--timeout", "60s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    // From here on nobody reads, and the pipe is not closed.
    let mut unread = BufReader::with_capacity(8, child.stdout.take().unwrap());
    unread.read_line(&mut line).unwrap();
    tenterhook::signal(&child, Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(143));
}
