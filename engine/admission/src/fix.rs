//! Advice on how to fix a refused program: the second half of a refusal's text.
//!
//! The author has often built for another host without knowing it. The names of
//! imports and exports show which one, and so what to change.

mod family;

pub(crate) use self::family::Strength;
use crate::kind::Kind;

/// Returns what to do about an import that is not offered: `namespace::name` of a
/// module, the interface of a component.
pub(crate) fn import(kind: Kind, import: &str) -> &'static str {
    match kind {
        Kind::Component => of_interface(import),
        Kind::Module | Kind::Script => {
            let (namespace, name) = import.split_once("::").unwrap_or((import, ""));
            of_function(namespace, name)
        }
    }
}

/// Returns how much an import of a module shows of where it is from.
pub(crate) fn strength(namespace: &str, name: &str) -> Strength {
    family::of(namespace, name).map_or(Strength::None, |clue| clue.strength)
}

fn of_function(namespace: &str, name: &str) -> &'static str {
    if let Some(clue) = family::of(namespace, name) {
        return clue.advice;
    }
    match (namespace, name) {
        ("env", "memory") => {
            "a hook brings its own memory: link it without `--import-memory`, and for \
             wasm32-wasip1, which has no threads"
        }
        (
            "env",
            "__indirect_function_table" | "__stack_pointer" | "__memory_base" | "__table_base",
        )
        | ("GOT.func" | "GOT.mem", _) => {
            "it is a shared library; link it as a command, without `-shared` and `-fPIC`"
        }
        ("env", _) => {
            "the linker found no such function in the program; add the library that has it, and \
             link without `--allow-undefined`"
        }
        ("wasi", "thread-spawn") => {
            "hooks have one thread: build it for wasm32-wasip1, not for wasm32-wasip1-threads"
        }
        ("wasi_snapshot_preview1" | "wasi_unstable", _) => {
            "WASI preview 1 has no such function, or it is none for hooks; build it for \
             wasm32-wasip1 without that import"
        }
        (namespace, _) if namespace.contains(':') || namespace.starts_with("cm32p2") => CORE,
        ("$root" | "[export]$root", _) => CORE,
        _ => {
            "build it for WASI without that import: a hook gets its event in `/event.json` and \
             variables, and responds with output, status and `/verdict.json`"
        }
    }
}

fn of_interface(interface: &str) -> &'static str {
    let (package, version) = interface.split_once('@').unwrap_or((interface, ""));
    if package.starts_with("wasi:") && version.starts_with("0.3") {
        return "it is built for WASI 0.3; build it for WASI 0.2, such as wasm32-wasip2";
    }
    if package.starts_with("wasi:http/") {
        return "hooks have no network; build it for WASI without that import, as with \
                `disableFeatures: ['http', 'fetch-event']` of componentize-js";
    }
    if package.starts_with("wasi:") && version.is_empty() {
        return "it names no version; build it for WASI 0.2, such as wasm32-wasip2";
    }
    if package.starts_with("wasi:") {
        return "build it for WASI without that import: hooks have command line, clocks, files, \
                streams and random numbers of WASI 0.2";
    }
    "build it for WASI without that import, or compose it with a component that exports it \
     (`wac plug`)"
}

const CORE: &str = "it is the core of a component; make a component of it with \
     `wasm-tools component new`, or build it for wasm32-wasip2";

/// Returns what to do about a proposal that is switched off.
pub(crate) fn proposal(proposal: &str) -> &'static str {
    match proposal {
        "threads" | "shared-everything-threads" => {
            "; hooks have one thread: build it for wasm32-wasip1, without `-pthread`"
        }
        "memory64" => "; build it for 32 bits, such as wasm32-wasip1",
        "exceptions" | "legacy-exceptions" => {
            "; build it without exceptions, such as with `-fno-exceptions` or `panic = \"abort\"`"
        }
        "component-model-async" => {
            "; it is built for WASI 0.3: build it for WASI 0.2, such as wasm32-wasip2"
        }
        _ => "",
    }
}

/// Returns what to do about a script for this interpreter, as its first line names it.
pub(crate) fn interpreter(line: &str) -> &'static str {
    let names = |name: &str| {
        line.split(['/', ' '])
            .any(|word| word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') == name)
    };
    if names("python") {
        PYTHON
    } else if names("node") || names("deno") || names("bun") {
        JAVASCRIPT
    } else {
        ""
    }
}

const PYTHON: &str = "; Python runs as a component, built with componentize-py (`tenterhook new NAME --lang \
     python` makes a project)";

const JAVASCRIPT: &str = "; JavaScript runs as a component, built with componentize-js (`tenterhook new NAME \
     --lang js` makes a project)";

/// What shows which toolchain a module or component without an entry point is from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clues {
    /// It is an object file.
    pub(crate) object: bool,
    /// It carries the types of a component.
    pub(crate) core: bool,
    /// It imports or exports anything of WASI.
    pub(crate) wasi: bool,
    /// It exports what starts a library.
    pub(crate) reactor: bool,
    /// It exports a command of WASI 0.3.
    pub(crate) wasi_0_3: bool,
    /// It exports an HTTP handler.
    pub(crate) http: bool,
}

/// Returns what to do about a missing entry point.
pub(crate) fn entry(kind: Kind, clues: Clues) -> &'static str {
    match kind {
        Kind::Component if clues.wasi_0_3 => {
            "it is built for WASI 0.3; build it for WASI 0.2, such as wasm32-wasip2"
        }
        Kind::Component if clues.http => {
            "it handles HTTP requests; a hook is a command: give it a `main` in place of \
             `wasi:http/incoming-handler`"
        }
        Kind::Component => {
            "build it as a command, with a `main` or the world `wasi:cli/command`, not as a library"
        }
        Kind::Module | Kind::Script if clues.object => {
            "it is an object file; let the compiler link it, without `-c`"
        }
        Kind::Module | Kind::Script if clues.core => CORE,
        Kind::Module | Kind::Script if clues.wasi || clues.reactor => {
            "build it as a command, not as a library (reactor)"
        }
        Kind::Module | Kind::Script => {
            "it uses nothing of WASI, as programs for wasm32-unknown-unknown; give it a `main` and \
             build it as a command for wasm32-wasip1"
        }
    }
}
