//! The languages of new projects, and what differs between them.

use clap::ValueEnum;

use super::sdk;
use super::subject::Subject;
use super::template::File;

/// A helper file that the examples use as well.
macro_rules! helper {
    ($path:literal) => {
        (
            $path,
            include_bytes!(concat!("../../../guest-examples/", $path)),
        )
    };
}

/// Zig as a program of its own, or from the Python package that contains it.
macro_rules! zig {
    () => {
        "$(command -v zig || echo python3 -m ziglang)"
    };
}

/// A language for a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// Rust, with the SDK.
    Rust,
    /// A shell script; needs no toolchain.
    Shell,
    /// C.
    C,
    /// Zig.
    Zig,
    /// `AssemblyScript`.
    As,
    /// Python, as a component.
    Python,
    /// `JavaScript`, as a component.
    Js,
}

impl Lang {
    /// Its value for `--lang`.
    pub(super) fn flag(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Shell => "shell",
            Self::C => "c",
            Self::Zig => "zig",
            Self::As => "as",
            Self::Python => "python",
            Self::Js => "js",
        }
    }

    /// Its name for people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Shell => "shell",
            Self::C => "C",
            Self::Zig => "Zig",
            Self::As => "AssemblyScript",
            Self::Python => "Python",
            Self::Js => "JavaScript",
        }
    }

    /// The program's file in the project.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Rust => "target/wasm32-wasip1/release/hook.wasm",
            Self::Shell => "hook.sh",
            Self::C | Self::Zig | Self::As | Self::Python | Self::Js => "hook.wasm",
        }
    }

    /// The command that builds the program; `None` where the source is the program.
    pub(super) fn build(self) -> Option<&'static str> {
        match self {
            Self::Shell => None,
            // Explicit, because the environment may name another folder.
            Self::Rust => Some("cargo build --release --target wasm32-wasip1 --target-dir target"),
            // Zig is a whole C toolchain with WASI's library in one package. Its default
            // stack of a megabyte would count as memory in every run.
            Self::C => Some(concat!(
                zig!(),
                " cc --target=wasm32-wasi -Os -s -Wall -Wextra -Wl,-z,stack-size=65536 -o hook.wasm hook.c"
            )),
            Self::Zig => Some(concat!(
                zig!(),
                " build-exe -target wasm32-wasi -OReleaseSmall -fstrip --stack 65536 -femit-bin=hook.wasm hook.zig"
            )),
            Self::As | Self::Js => Some("test -d node_modules || npm install && npm run build"),
            Self::Python => {
                Some("componentize-py -d tenterhook.wit -w hook componentize hook -o hook.wasm")
            }
        }
    }

    /// The folders with its templates.
    pub(super) fn templates(self, subject: &Subject) -> Vec<&'static str> {
        match self {
            Self::Rust if subject.is_documented() => vec!["rust", "rust-typed"],
            Self::Rust => vec!["rust", "rust-untyped"],
            other => vec![other.flag()],
        }
    }

    /// Helper files that are copied unchanged: a hook's interface to the sandbox.
    pub(super) fn helpers(self) -> Vec<File> {
        let files: &[(&str, &[u8])] = match self {
            Self::Rust => return sdk::files(),
            Self::Shell => &[],
            Self::C => &[helper!("c/tenterhook.h")],
            Self::Zig => &[helper!("zig/tenterhook.zig")],
            Self::As => &[helper!("assemblyscript/tenterhook.ts")],
            Self::Python => &[
                helper!("python/tenterhook.py"),
                helper!("python/tenterhook.wit"),
            ],
            Self::Js => &[
                helper!("javascript/tenterhook.js"),
                helper!("javascript/tenterhook.wit"),
            ],
        };
        let files = files.iter().map(|(path, bytes)| {
            let (_, name) = path.rsplit_once('/').expect("a helper lies in a folder");
            (name.to_owned(), bytes.to_vec())
        });
        files.collect()
    }

    /// What must be installed, as a sentence for the README.
    pub(super) fn needs(self) -> Option<&'static str> {
        match self {
            Self::Shell => None,
            Self::Rust => {
                Some("Building needs Rust and its target: `rustup target add wasm32-wasip1`.")
            }
            Self::C => Some(
                "Building needs Zig, which compiles C: `python3 -m pip install ziglang`. With clang and\n\
                 wasi-libc, `build` in `tenterhook.toml` can be `clang --target=wasm32-wasi --sysroot=/usr`\n\
                 and the same flags.",
            ),
            Self::Zig => Some("Building needs Zig: `python3 -m pip install ziglang`."),
            Self::As | Self::Js => Some(
                "Building needs Node.js with npm; the first build installs the compiler into `node_modules`.",
            ),
            Self::Python => Some(
                "Building needs the compiler: `python3 -m pip install -r requirements.txt`. It takes\n\
                 about ten seconds, and the component holds all of Python: 18 MiB.",
            ),
        }
    }
}

/// All flags of `--lang`, for a message.
pub(super) fn flags() -> String {
    let flags: Vec<_> = Lang::value_variants()
        .iter()
        .map(|lang| lang.flag())
        .collect();
    flags.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_called_what_its_flag_takes() {
        for lang in Lang::value_variants() {
            let value = lang.to_possible_value().unwrap();
            assert_eq!(value.get_name(), lang.flag());
        }
        assert_eq!(flags(), "rust|shell|c|zig|as|python|js");
    }
}
