//! The hosts and toolchains that a module may have been built for, recognized by its imports.
//!
//! One name of a family decides it, wherever it stands among the imports: what a compiler
//! imports besides, such as a memory, says nothing about the host.

/// What an import shows.
pub(super) struct Clue {
    /// How much it shows: only the module's clearest import is reported.
    pub(super) strength: Strength,
    /// What the module is, and what to do.
    pub(super) advice: &'static str,
}

/// How much an import shows of where its module is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// Nothing, or no more than how the module was linked.
    None,
    /// A name that one toolchain uses, and others may.
    Likely,
    /// A name of one host's own.
    Certain,
}

/// One family, by its namespaces and the beginnings of its functions' names.
struct Family {
    /// Namespaces that are the family's own.
    namespaces: &'static [&'static str],
    /// How its functions in the namespace `env` begin.
    env: &'static [&'static str],
    advice: &'static str,
}

const FAMILIES: [Family; 10] = [
    Family {
        namespaces: &["extism:host/env", "extism:host/user", "extism"],
        env: &["extism_"],
        advice: "it is a plug-in for Extism; build it without its PDK, as a program with a `main` \
                 for wasm32-wasip1 that reads the event from standard input or `/event.json`",
    },
    Family {
        namespaces: &["proxy_wasm"],
        env: &["proxy_"],
        advice: "it is a filter for proxies (proxy-wasm); build it without their SDK, as a program \
                 with a `main` for wasm32-wasip1 that reads the event from standard input or \
                 `/event.json`",
    },
    Family {
        namespaces: &[],
        env: &["opa_"],
        advice: "it is a policy that OPA has compiled, without a program around it; build a \
                 program for wasm32-wasip1 that evaluates the policy, such as one with the crate \
                 `regorus`",
    },
    Family {
        namespaces: &["wapc"],
        env: &[],
        advice: "it is a guest for waPC, as of Kubewarden or wasmCloud; build it without that SDK, \
                 as a program with a `main` for wasm32-wasip1 that reads the event from standard \
                 input or `/event.json`",
    },
    Family {
        namespaces: &["http_handler"],
        env: &[],
        advice: "it is a handler for http-wasm; a hook is a command: give it a `main` for \
                 wasm32-wasip1 that reads the event from standard input or `/event.json`",
    },
    Family {
        namespaces: &["javy_quickjs_provider", "javy-default-plugin"],
        env: &[],
        advice: "it needs Javy's engine in a second module; build it with the engine in it, \
                 without `-C dynamic`",
    },
    Family {
        namespaces: &[
            "wbg",
            "__wbindgen_placeholder__",
            "__wbindgen_externref_xform__",
        ],
        env: &["__wbindgen", "__wbg_"],
        advice: "it is built for browsers; build it with `--target wasm32-wasip1` and without \
                 wasm-bindgen and what needs it, such as a `js` feature",
    },
    Family {
        namespaces: &["gojs", "go", "syscall/js"],
        env: &[],
        advice: "it is built by Go for JavaScript; build it with `GOOS=wasip1 GOARCH=wasm go build`",
    },
    Family {
        namespaces: &[],
        env: &[
            "emscripten_",
            "_emscripten_",
            "invoke_",
            "__syscall_",
            "___syscall",
            "__cxa_",
            "__resumeException",
            "_abort_js",
            "_tzset_js",
            "_mktime_js",
            "_gmtime_js",
            "_localtime_js",
            "_mmap_js",
            "_munmap_js",
            "_setitimer_js",
            "_timegm_js",
            "__assert_fail",
            "__call_sighandler",
            "__handle_stack_overflow",
            "getTempRet0",
            "setTempRet0",
            "segfault",
            "alignfault",
        ],
        advice: EMSCRIPTEN,
    },
    Family {
        namespaces: &["wasix_"],
        env: &[],
        advice: "it is built for WASIX; build it for WASI preview 1, such as wasm32-wasip1",
    },
];

const EMSCRIPTEN: &str = "it is built by Emscripten, whose functions are JavaScript's; build it with wasi-sdk \
     (`clang --target=wasm32-wasip1`), or, if it neither opens files nor grows its memory, with \
     `emcc -sSTANDALONE_WASM`";

/// `AssemblyScript`'s own names in the namespace `env`. Others have them too.
const ASSEMBLYSCRIPT: [&str; 4] = ["abort", "trace", "seed", "console.log"];

/// Returns what an import shows of its module; `None` if it belongs to no family.
pub(super) fn of(namespace: &str, name: &str) -> Option<Clue> {
    let begins = |starts: &[&str], text: &str| starts.iter().any(|start| text.starts_with(start));
    let family = FAMILIES.iter().find(|family| {
        // Some have a version at the end, such as `javy_quickjs_provider_v3`.
        let is_own = family.namespaces.contains(&namespace)
            || family.namespaces.iter().any(|own| {
                let rest = namespace.strip_prefix(own);
                rest.is_some_and(|rest| own.ends_with('_') || is_version(rest))
            });
        is_own || (namespace == "env" && begins(family.env, name))
    });
    if let Some(family) = family {
        return Some(Clue {
            strength: Strength::Certain,
            advice: family.advice,
        });
    }
    match (namespace, name) {
        (_, name) if name.starts_with("__wbindgen") || name.starts_with("__wbg_") => {
            of("wbg", name)
        }
        ("env", name) if ASSEMBLYSCRIPT.contains(&name) => Some(Clue {
            strength: Strength::Likely,
            advice: "if it is AssemblyScript, build it with \
                 `--config ./node_modules/@assemblyscript/wasi-shim/asconfig.json`, which puts WASI \
                 in its place",
        }),
        // What Emscripten's optimiser leaves of the names.
        ("a", name) if name.len() <= 2 => Some(Clue {
            strength: Strength::Likely,
            advice: EMSCRIPTEN,
        }),
        _ => None,
    }
}

fn is_version(text: &str) -> bool {
    let digits = text.strip_prefix("_v").or_else(|| text.strip_prefix("-v"));
    digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_is_recognized_by_its_own_names() {
        for (namespace, name, expected) in [
            ("extism:host/env", "input_length", "Extism"),
            ("extism:host/user", "my_function", "Extism"),
            ("env", "extism_input_length", "Extism"),
            ("env", "proxy_log", "proxy-wasm"),
            ("env", "opa_builtin0", "OPA"),
            ("env", "opa_abort", "OPA"),
            ("wapc", "__guest_request", "waPC"),
            ("http_handler", "get_config", "http-wasm"),
            ("javy_quickjs_provider_v3", "eval_bytecode", "Javy"),
            ("wbg", "__wbg_log_1d3ae0273d8f4f8a", "browsers"),
            ("./x_bg.js", "__wbindgen_throw", "browsers"),
            ("gojs", "runtime.wasmExit", "Go"),
            ("env", "emscripten_resize_heap", "Emscripten"),
            ("env", "emscripten_notify_memory_growth", "Emscripten"),
            ("env", "__syscall_openat", "Emscripten"),
            ("env", "invoke_vii", "Emscripten"),
            ("env", "_tzset_js", "Emscripten"),
            ("a", "b", "Emscripten"),
            ("env", "abort", "AssemblyScript"),
            ("env", "console.log", "AssemblyScript"),
            ("wasix_32v1", "fd_dup", "WASIX"),
        ] {
            let clue = of(namespace, name).unwrap_or_else(|| panic!("{namespace}::{name}"));
            assert!(
                clue.advice.contains(expected),
                "{namespace}::{name}: {}",
                clue.advice
            );
        }
        for (namespace, name) in [
            ("env", "memory"),
            ("env", "secret"),
            ("wasi_snapshot_preview1", "fd_everything"),
            ("wapcs", "x"),
            ("", ""),
        ] {
            assert!(of(namespace, name).is_none(), "{namespace}::{name}");
        }
    }
}
