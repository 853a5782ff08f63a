//! Programs that a failed build names and that are missing, each with the command that
//! installs it.

use std::env;
use std::ffi::OsStr;
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

/// Words that a command may follow.
const PREFIXES: &[&str] = &[
    "if", "then", "else", "elif", "while", "until", "do", "!", "{", "(", "exec", "env",
];

/// Words that are not programs.
const BUILT_IN: &[&str] = &[
    "", "[", ":", "cd", "command", "done", "echo", "export", "false", "fi", "for", "set", "test",
    "true", "}", ")",
];

/// Returns a hint for everything that is missing: how to install it.
pub(super) fn hints(build: &str, folder: &Path) -> Vec<String> {
    let is_there = |name: &str| is_installed(name, folder, env::var_os("PATH").as_deref());
    let mut hints = missing(build, &is_there);
    if hints.is_empty() {
        hints.extend(parts(build, folder));
    }
    hints
}

/// The commands of a build that are not installed.
fn missing(build: &str, is_there: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut hints = Vec::new();
    for name in programs(build) {
        if is_there(&name) {
            continue;
        }
        let tool = TOOLS.iter().find(|tool| tool.name == name);
        let hint = match tool {
            Some(tool) => format!("`{name}` is not installed; {}", tool.install),
            None if name.contains("node_modules/") => {
                format!("{name} is missing; `npm install` in the project's folder creates it")
            }
            None => format!(
                "`{name}` is not installed; install it, or change `build` in tenterhook.toml"
            ),
        };
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    hints
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
    let path = env::var_os("PATH");
    let zig = is_installed("zig", folder, path.as_deref());
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

/// Returns the first word of each command of a line: the programs that it starts.
fn programs(build: &str) -> Vec<String> {
    build
        .replace("2>&1", "")
        .replace(">&2", "")
        .split(['\n', ';', '&', '|'])
        .filter_map(|command| {
            command.split_whitespace().find(|word| {
                let sets = word.split_once('=').is_some_and(|(name, _)| {
                    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                });
                !sets && !PREFIXES.contains(word)
            })
        })
        .map(|word| word.trim_matches(['(', ')', '"', '\'']))
        .filter(|word| !BUILT_IN.contains(word) && !word.contains(['$', '`', '<', '>', '#']))
        .map(str::to_owned)
        .collect()
}

/// Whether a program is found as `sh` would find it.
fn is_installed(name: &str, folder: &Path, path: Option<&OsStr>) -> bool {
    if name.contains('/') {
        return folder.join(name).exists();
    }
    let path = path.unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin"));
    env::split_paths(path).any(|folder| folder.join(name).is_file())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hints_for(build: &str) -> String {
        missing(build, &|name| name == "mkdir").join("\n")
    }

    #[test]
    fn every_missing_toolchain_is_named_with_its_command() {
        for (build, name, install) in [
            ("cargo build --release", "`cargo`", "rustup.rs"),
            (
                "clang -O2 hook.c",
                "`clang`",
                "apt-get install clang lld wasi-libc",
            ),
            ("zig build-exe hook.zig", "`zig`", "pip install ziglang"),
            ("npm run build", "`npm`", "apt-get install npm"),
            (
                "python3 -m ziglang cc",
                "`python3`",
                "apt-get install python3",
            ),
            (
                "componentize-py -d wit componentize hook",
                "`componentize-py`",
                "pip install componentize-py",
            ),
            (
                "node_modules/.bin/asc hook.ts",
                "node_modules/.bin/asc",
                "npm install",
            ),
            ("mycc hook.x", "`mycc`", "change `build`"),
        ] {
            let hints = hints_for(build);
            assert!(
                hints.contains(name) && hints.contains(install),
                "{build}: {hints}"
            );
        }
    }

    #[test]
    fn the_programs_of_a_line_are_found() {
        let line =
            "test -d x || npm install && A=1 npm run build; if zig version\nthen (mkdir b)\nfi";
        assert_eq!(programs(line), ["npm", "npm", "zig", "mkdir"]);
        assert_eq!(hints_for("cd x && mkdir y; echo done"), "");
        assert_eq!(hints_for("npm a; npm b").lines().count(), 1);
    }

    proptest! {
        #[test]
        fn no_line_panics(line in ".{0,80}") {
            let _ = missing(&line, &|_| false);
        }
    }
}
