//! A program that is built for something else is refused with what it seems to be, and how
//! it is built for the sandbox.

use tenterhook_tests_artifacts::handmade;

use crate::tenterhook::{Finished, Program, command};
use crate::tiny;

/// Fails unless `check` and `run` refuse the program in one line with all of `parts`.
#[track_caller]
fn refused(program: &Program, parts: &[&str]) {
    refused_at(&program.path, parts);
}

#[track_caller]
fn refused_at(path: &std::path::Path, parts: &[&str]) {
    let result = |name: &str| Finished::of(command([name]).arg(path).output().unwrap());
    let check = result("check").with_status(1).stdout;
    let line = check.lines().find(|line| line.starts_with("verdict "));
    let run = result("run").with_status(125).stderr;
    assert_eq!(run.lines().count(), 1, "{run}");
    for text in [line.unwrap_or_default(), &run] {
        for part in parts {
            assert!(text.contains(part), "`{part}` is not in: {text}");
        }
    }
}

#[test]
fn a_native_program_is_distinguished_from_a_script() {
    let linux = env!("CARGO_BIN_EXE_tenterhook").as_ref();
    refused_at(linux, &["a program for Linux (ELF)", "wasm32-wasip1"]);
    for (bytes, what) in [
        (
            &b"\xcf\xfa\xed\xfe\x07\x00\x00\x01"[..],
            "for macOS (Mach-O)",
        ),
        (b"\xca\xfe\xba\xbe\x00\x00\x00\x02", "for macOS (Mach-O)"),
        (b"MZ\x90\x00\x03\x00\x00\x00", "for Windows (PE)"),
        (b"\x1f\x8b\x08\x00", "a gzip archive"),
    ] {
        refused(&Program::new("hook", bytes), &[what, "send "]);
    }
}

#[test]
fn source_code_is_refused_with_how_to_build_it() {
    for (name, text, parts) in [
        (
            "hook.rs",
            "//! A hook.\nuse std::env;\n\nfn main() {}\n",
            ["in Rust", "cargo build --release --target wasm32-wasip1"],
        ),
        (
            "hook.py",
            "import json\nimport sys\n\nprint(json.load(sys.stdin))\n",
            ["in Python", "tenterhook new NAME --lang python"],
        ),
        (
            "hook.js",
            "import { getArguments } from 'wasi:cli/environment@0.2.3';\n",
            ["in JavaScript", "tenterhook new NAME --lang js"],
        ),
        (
            "hook.c",
            "#include <stdio.h>\n\nint main(void) {\n",
            ["in C", "clang --target=wasm32-wasip1"],
        ),
        (
            "hook.wat",
            "(module\n  (func (export \"_start\")))\n",
            ["WebAssembly as text", "wasm-tools parse"],
        ),
    ] {
        refused(&Program::new(name, text), &parts);
    }
}

#[test]
fn a_missing_interpreter_is_refused_with_the_available_ones() {
    for (first, parts) in [
        (
            "#!/usr/bin/env python3",
            ["only sh, dash and bash are offered", "componentize-py"],
        ),
        (
            "#!/usr/bin/env -S node --no-warnings",
            ["only sh, dash and bash are offered", "componentize-js"],
        ),
        (
            "#!/usr/bin/perl",
            ["`/usr/bin/perl`", "only sh, dash and bash"],
        ),
    ] {
        refused(&Program::script(&format!("{first}\nprint(1)\n")), &parts);
    }
}

#[test]
fn a_module_for_javascript_is_distinguished_from_one_for_wasi() {
    for (namespace, name, parts) in [
        (
            "__wbindgen_placeholder__",
            "__wbindgen_throw",
            ["for browsers", "--target wasm32-wasip1"],
        ),
        ("wbg", "__wbg_log_1234", ["for browsers", "wasm-bindgen"]),
        (
            "gojs",
            "runtime.wasmExit",
            ["by Go for JavaScript", "GOOS=wasip1 GOARCH=wasm"],
        ),
        (
            "env",
            "emscripten_resize_heap",
            ["by Emscripten", "-sSTANDALONE_WASM"],
        ),
        ("env", "__syscall_openat", ["by Emscripten", "wasi-sdk"]),
        ("env", "abort", ["AssemblyScript", "wasi-shim"]),
        ("extism:host/env", "input_length", ["for Extism", "`main`"]),
        ("env", "proxy_log", ["proxy-wasm", "`main`"]),
        ("env", "opa_builtin0", ["OPA has compiled", "regorus"]),
        ("env", "my_log", ["`env::my_log`", "--allow-undefined"]),
        (
            "wasi",
            "thread-spawn",
            ["one thread", "not for wasm32-wasip1-threads"],
        ),
        ("wasix_32v1", "fd_dup", ["for WASIX", "wasm32-wasip1"]),
        (
            "wasi:cli/environment@0.2.3",
            "get-environment",
            ["core of a component", "wasm-tools component new"],
        ),
        (
            "wasi_snapshot_preview1",
            "fd_teleport",
            ["`wasi_snapshot_preview1::fd_teleport`", "no such function"],
        ),
    ] {
        refused(&Program::module(tiny::importing(namespace, name)), &parts);
    }
}

#[test]
fn a_module_that_imports_its_memory_is_refused_with_how_to_define_one() {
    refused(
        &Program::module(tiny::importing_memory("env", "memory")),
        &["imports `env::memory`", "`--import-memory`"],
    );
}

#[test]
fn a_module_without_a_start_function_is_refused_with_what_it_seems_to_be() {
    for (module, part) in [
        (tiny::library("add"), "wasm32-unknown-unknown"),
        (tiny::reactor(), "as a command, not as a library (reactor)"),
        (tiny::library("cabi_realloc"), "wasm-tools component new"),
        (tiny::with_section("linking"), "an object file"),
    ] {
        refused(
            &Program::module(module),
            &["does not export `_start`", part],
        );
    }
}

#[test]
fn an_unavailable_interface_is_named_with_the_reason() {
    for (interface, part) in [
        ("wasi:http/incoming-handler@0.2.0", "hooks have no network"),
        ("wasi:cli/environment@0.3.0", "such as wasm32-wasip2"),
        ("wasi:keyvalue/store@0.2.0-draft", "hooks have command line"),
        ("my:own/thing@1.0.0", "wac plug"),
    ] {
        refused(
            &Program::module(handmade::importing(interface)),
            &[&format!("imports `{interface}`"), part],
        );
    }
}

#[test]
fn a_component_that_is_not_a_command_is_refused_with_what_it_is() {
    for (interface, part) in [
        ("wasi:cli/run@0.3.0", "such as wasm32-wasip2"),
        (
            "wasi:http/incoming-handler@0.2.0",
            "it handles HTTP requests",
        ),
        ("my:own/thing", "a `main` or the world `wasi:cli/command`"),
    ] {
        refused(
            &Program::module(tiny::component_exporting(interface)),
            &["does not export `wasi:cli/run@0.2`", part],
        );
    }
}

#[test]
fn a_disabled_proposal_is_refused_with_the_flag_that_avoids_it() {
    refused(
        &Program::module(tiny::threaded()),
        &["uses the `threads` proposal", "without `-pthread`"],
    );
}
