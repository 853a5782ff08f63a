//! What a failed build lacks, each with the command that installs it.
//!
//! The build command is the shell's to read: status 127 says that it did not find a
//! program, and its standard error which one. Here only known toolchains are looked for.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

/// A program that builds hooks.
struct Tool {
    name: &'static str,
    install: &'static str,
}

/// How the toolchains of `tenterhook new` are installed.
const TOOLS: &[Tool] = &[
    Tool {
        name: "cargo",
        install: "https://rustup.rs installs it",
    },
    Tool {
        name: "clang",
        install: "`apt-get install clang lld wasi-libc libclang-rt-dev-wasm32` installs it on Debian and Ubuntu",
    },
    Tool {
        name: "zig",
        install: "`python3 -m pip install ziglang` installs it as `python3 -m ziglang`",
    },
    Tool {
        name: "npm",
        install: "it comes with Node.js: `apt-get install npm`, or https://nodejs.org",
    },
    Tool {
        name: "node",
        install: "`apt-get install nodejs`, or https://nodejs.org",
    },
    Tool {
        name: "python3",
        install: "`apt-get install python3 python3-pip` installs it on Debian and Ubuntu",
    },
    Tool {
        name: "componentize-py",
        install: "`python3 -m pip install componentize-py` installs it",
    },
];

/// The Python package that contains Zig.
const ZIG: &str = "ziglang";

/// The target of Rust hooks.
const RUST_TARGET: &str = "wasm32-wasip1";

/// Where npm puts a project's tools.
const NODE_MODULES: &str = "node_modules";

/// The status of a shell that did not find a program: POSIX, Shell Command Language, 2.8.2.
const NOT_FOUND: i32 = 127;

/// Returns a hint for everything that a build that ended with `status` lacks.
pub(super) fn hints(build: &str, status: Option<i32>, folder: &Path) -> Vec<String> {
    let mut hints = parts(build, folder);
    if status == Some(NOT_FOUND) {
        let is_there = |name: &str| which::which_in(name, env::var_os("PATH"), folder).is_ok();
        hints.extend(missing(build, &is_there, folder));
        if hints.is_empty() {
            hints.push(
                "a program that the build command names was not found, see above; \
                 install it, or change `build` in tenterhook.toml"
                    .to_owned(),
            );
        }
    }
    hints
}

/// The known tools that a build names and that are missing.
fn missing(build: &str, is_there: &dyn Fn(&str) -> bool, folder: &Path) -> Vec<String> {
    let mut hints: Vec<_> = TOOLS
        .iter()
        .filter(|tool| names(build, tool.name) && !is_there(tool.name))
        // `parts` knows that Python may have it.
        .filter(|tool| tool.name != "zig" || !build.contains(ZIG))
        .map(|tool| format!("`{}` is not installed; {}", tool.name, tool.install))
        .collect();
    if build.contains(NODE_MODULES) && !folder.join(NODE_MODULES).exists() {
        hints.push(format!(
            "{NODE_MODULES} is missing; `npm install` in the project's folder creates it"
        ));
    }
    hints
}

/// Whether a text has a name as a word of its own.
fn names(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.');
    text.split(|c| !is_part(c)).any(|word| word == name)
}

/// Hints for missing parts of toolchains that are installed.
fn parts(build: &str, folder: &Path) -> Vec<String> {
    let mut hints = Vec::new();
    let succeeds = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).current_dir(folder);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
            .output()
            .ok()
            .filter(|output| output.status.success())
    };
    if build.contains("cargo ") && build.contains(RUST_TARGET) {
        let lib = succeeds(
            "rustc",
            &["--print", "target-libdir", "--target", RUST_TARGET],
        );
        let lib = lib.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        if !lib.is_some_and(|lib| Path::new(&lib).exists()) {
            hints.push(format!(
                "the target {RUST_TARGET} is not installed; `rustup target add {RUST_TARGET}` installs it"
            ));
        }
    }
    let zig = which::which("zig").is_ok();
    if build.contains(ZIG)
        && !zig
        && succeeds("python3", &["-c", &format!("import {ZIG}")]).is_none()
    {
        hints.push(format!(
            "neither `zig` nor Python's module {ZIG} is installed; `python3 -m pip install {ZIG}` installs it"
        ));
    }
    if build.contains("clang") && build.contains("wasm32-wasi") {
        let installed = Path::new("/usr/include/wasm32-wasi").exists();
        if !installed && build.contains("--sysroot=/usr") {
            let tool = TOOLS.iter().find(|tool| tool.name == "clang");
            let install = tool.map_or("", |tool| tool.install);
            hints.push(format!(
                "the C library for WASI is not installed; {install}"
            ));
        }
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints_for(build: &str) -> String {
        missing(build, &|name| name == "python3", Path::new("/nowhere")).join("\n")
    }

    #[test]
    fn every_missing_toolchain_is_named_with_its_command() {
        for (build, name, install) in [
            ("cargo build --release", "`cargo`", "rustup.rs"),
            (
                "mkdir -p b && clang -O2 hook.c",
                "`clang`",
                "apt-get install clang lld wasi-libc",
            ),
            ("(zig build-exe hook.zig)", "`zig`", "pip install ziglang"),
            ("A=1 npm run build", "`npm`", "apt-get install npm"),
            (
                "componentize-py -d wit componentize hook",
                "`componentize-py`",
                "pip install componentize-py",
            ),
            (
                "node_modules/.bin/asc hook.ts",
                "node_modules is missing",
                "npm install",
            ),
        ] {
            let hints = hints_for(build);
            assert!(
                hints.contains(name) && hints.contains(install),
                "{build}: {hints}"
            );
        }
    }

    #[test]
    fn an_unknown_program_is_left_to_the_shell_to_report() {
        let folder = Path::new("/nowhere");
        assert!(hints("mycc hook.x", Some(127), folder)[0].contains("change `build`"));
        assert_eq!(hints("mycc hook.x", Some(1), folder), [""; 0]);
    }

    #[test]
    fn a_tool_is_named_once_and_only_if_the_build_uses_it_and_it_is_missing() {
        assert_eq!(hints_for("npm a; npm b").lines().count(), 1);
        assert!(!hints_for("python3 -m node_helper ./cargo").contains("`node`"));
        assert!(!hints_for("python3 -m node_helper ./cargo").contains("`cargo`"));
        assert!(!hints_for("python3 x").contains("`python3`"));
    }
}
