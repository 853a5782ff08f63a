//! What goes into a run and comes out of it: streams, arguments, variables.

use crate::tenterhook::Program;

#[test]
fn output_goes_to_the_intended_stream() {
    let result = Program::script("echo out; echo err >&2")
        .run(&[])
        .with_status(0);
    assert_eq!((&*result.stdout, &*result.stderr), ("out\n", "err\n"));
}

#[test]
fn standard_input_is_passed_through() {
    let script = Program::script("wc -c | tr -d ' '");
    let result = script.run_with_stdin(&[], &[b'x'; 100_000]).with_status(0);
    assert_eq!(result.stdout, "100000\n");
}

#[test]
fn bytes_that_are_not_text_are_passed_through() {
    let script = Program::script("cat");
    let output = script
        .run_command([""; 0])
        .stdin(script_input(&script))
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"\x00\xff\x1b[2J\n");
}

fn script_input(program: &Program) -> std::fs::File {
    let path = program.beside("input", b"\x00\xff\x1b[2J\n");
    std::fs::File::open(path).unwrap()
}

#[test]
fn arguments_reach_the_program_even_with_hyphens() {
    let script = Program::script("echo \"$0|$1|$2|$#\"");
    let output = script
        .run_command([""; 0])
        .args(["a b", "--", "--fuel"])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "/hooks/hook.sh|a b|--fuel|2\n"
    );
}

#[test]
fn no_variable_of_the_host_reaches_the_program() {
    let script = Program::script("echo \"${SECRET-none} ${XDG_CACHE_HOME-none} ${A-none}\"");
    let output = script
        .run_command(["--env", "A=x=y"])
        .env("SECRET", "seen")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "none none x=y\n");
}

#[test]
fn no_file_of_the_host_is_visible() {
    let script = Program::script("cat \"$1\" && exit 0; ls /work; exit 9");
    let secret = script.beside("secret", "host");
    let output = script.run_command([""; 0]).arg(secret).output().unwrap();
    assert_eq!((output.status.code(), &*output.stdout), (Some(9), &b""[..]));
}

#[test]
fn output_beyond_its_limit_is_dropped_with_a_message() {
    let script = Program::script("printf '%s' 0123456789; exit 3");
    let result = script.run(&["--output", "4"]).with_status(3);
    assert_eq!(result.stdout, "0123");
    result.with_stderr("6 bytes of output beyond the limit of 4 bytes were dropped");
}

#[test]
fn with_a_fixed_seed_and_clock_every_run_is_the_same() {
    let script = Program::script("echo $RANDOM $RANDOM; date -u +%s; mktemp -u");
    let args = ["--seed", "7", "--clock", "2026-03-10T16:15:50Z"];
    let first = script.run(&args).with_status(0);
    assert_eq!(script.run(&args), first);
    assert!(first.stdout.contains("1773159350"), "{first:?}");
    assert_ne!(
        script.run(&["--seed", "8", "--clock", "2026-03-10T16:15:50Z"]),
        first
    );
}

#[test]
fn a_cache_folder_that_cannot_be_used_costs_nothing_but_time() {
    let script = Program::script("echo ran");
    let file = script.beside("not-a-folder", "");
    let output = script
        .run_command([""; 0])
        .env("XDG_CACHE_HOME", file)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ran\n");
}
