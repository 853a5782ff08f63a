//! Recognizes what was sent as a script but is something else: a native program, an
//! archive, source code in another language.
//!
//! Binary formats are recognized by their magic numbers. Source code is recognized by
//! its first significant line, and only where no shell could make sense of that line:
//! a script must never be refused for what it has in a comment or a here-document.

use crate::refusal::Refusal;

/// Bytes at the start that are examined, whatever the total length.
const LOOKED_AT: usize = 8 << 10;

const BUILD: &str = "send a shell script, or build it for WASI: `cargo build --target wasm32-wasip1`, \
     `clang --target=wasm32-wasip1`, `zig build-exe -target wasm32-wasi`, \
     `GOOS=wasip1 GOARCH=wasm go build`";
const UNPACK: &str = "send the program that is in it";

/// Magic numbers of formats that people send by mistake.
const MAGIC: [(&[u8], &str, &str); 16] = [
    (b"\x7fELF", "a program for Linux (ELF)", BUILD),
    (b"\xcf\xfa\xed\xfe", "a program for macOS (Mach-O)", BUILD),
    (b"\xce\xfa\xed\xfe", "a program for macOS (Mach-O)", BUILD),
    (
        b"\xca\xfe\xba\xbe\0\0\0\x02",
        "a program for macOS (Mach-O)",
        BUILD,
    ),
    (b"\xca\xfe\xba\xbe", "a class for Java", BUILD),
    (b"MZ", "a program for Windows (PE)", BUILD),
    (b"BC\xc0\xde", "LLVM bitcode", BUILD),
    (b"!<arch>\n", "a library of object files", BUILD),
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"\xfd7zXZ\0", "an xz archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"\xff\xfe", "text in UTF-16", "save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16", "save it as UTF-8"),
    (
        b"version https://git-lfs.github.com/",
        "a pointer of Git LFS",
        "fetch the file with `git lfs pull`",
    ),
];

const RUST: (&str, &str) = (
    "source code in Rust",
    "build it with `cargo build --release --target wasm32-wasip1` and send the `.wasm` file",
);
const PYTHON: (&str, &str) = (
    "source code in Python",
    "make a component of it with componentize-py (`tenterhook new NAME --lang python` makes a \
     project) and send the `.wasm` file",
);
const JAVASCRIPT: (&str, &str) = (
    "source code in JavaScript or TypeScript",
    "make a component of it with componentize-js (`tenterhook new NAME --lang js` makes a project) \
     and send the `.wasm` file",
);
const ZIG: (&str, &str) = (
    "source code in Zig",
    "build it with `zig build-exe -target wasm32-wasi` and send the `.wasm` file",
);
const C: (&str, &str) = (
    "source code in C or C++",
    "build it with `clang --target=wasm32-wasip1` and send the `.wasm` file",
);
const GO: (&str, &str) = (
    "source code in Go",
    "build it with `GOOS=wasip1 GOARCH=wasm go build` and send the `.wasm` file",
);
const COMPILED: (&str, &str) = (
    "source code of a compiled language",
    "build it for WASI, such as wasm32-wasip1, and send the `.wasm` file",
);
const WAT: (&str, &str) = (
    "WebAssembly as text",
    "assemble it with `wasm-tools parse -o hook.wasm` and send the `.wasm` file",
);
const MARKUP: (&str, &str) = (
    "a page in HTML or XML",
    "send the program itself; a download may have failed",
);
const JSON: (&str, &str) = (
    "JSON",
    "send the program; `tenterhook run --event FILE` takes an event",
);

/// Refuses what its magic number or first line gives away. The cost does not depend on
/// the total length.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Refusal> {
    if let Some((_, what, fix)) = MAGIC.iter().find(|(magic, ..)| bytes.starts_with(magic)) {
        return Err(Refusal::Foreign { what, fix });
    }
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LOOKED_AT)]);
    match language(&text) {
        Some((what, fix)) => Err(Refusal::Source { what, fix }),
        None => Ok(()),
    }
}

/// Returns the language of the source code, if the first line that is not a comment
/// shows it.
fn language(text: &str) -> Option<(&'static str, &'static str)> {
    if text.starts_with("#![") {
        return Some(RUST);
    }
    // A shebang line is trusted; the interpreter that it names is checked elsewhere.
    if text.starts_with("#!") {
        return None;
    }
    let mut lines = text.lines().map(str::trim_end);
    let mut includes = false;
    let line = lines.find(|line| {
        includes |= line.starts_with("#include <") || line.starts_with("#include \"");
        let line = line.trim_start();
        !(line.is_empty() || line.starts_with('#'))
    })?;
    let rest = || lines.clone();
    if includes && C_WORDS.contains(&first_word(line)) {
        return Some(C);
    }
    by_line(line.trim_start(), rest)
}

const C_WORDS: [&str; 12] = [
    "int", "void", "char", "static", "struct", "typedef", "extern", "enum", "const", "unsigned",
    "bool", "using",
];

fn by_line<'a, I: Iterator<Item = &'a str>>(
    line: &str,
    rest: impl Fn() -> I,
) -> Option<(&'static str, &'static str)> {
    let begins = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
    let ends_as_block = line.ends_with('{') || line.ends_with('}');
    match first_word(line) {
        // No command begins with two slashes or a slash and a star.
        word if word.starts_with("//") || word.starts_with("/*") => Some(by_rest(rest)),
        "use" if line.contains("::") => Some(RUST),
        "pub" | "fn" | "mod" | "impl" | "struct" | "enum" | "extern"
            if ends_as_block || line.ends_with(';') =>
        {
            Some(if line.contains("pub fn main() !") {
                ZIG
            } else {
                RUST
            })
        }
        "const" if line.contains("@import(") => Some(ZIG),
        "const" | "let" | "var" if line.contains(" = ") => Some(JAVASCRIPT),
        "import" if begins(&["import {", "import * as ", "import type "]) => Some(JAVASCRIPT),
        "import" if line.contains(" from '") || line.contains(" from \"") => Some(JAVASCRIPT),
        "import" if line[6..].split(',').all(is_python_module) => Some(PYTHON),
        "export" if ends_as_block && line.contains(['(', '{']) && line.contains(' ') => begins(&[
            "export default ",
            "export function ",
            "export async ",
            "export class ",
            "export const ",
        ])
        .then_some(JAVASCRIPT),
        "function" if line.contains('(') && !line.contains("()") && ends_as_block => {
            Some(JAVASCRIPT)
        }
        "async" if begins(&["async function "]) => Some(JAVASCRIPT),
        "\"use" | "'use" if begins(&["\"use strict\"", "'use strict'"]) => Some(JAVASCRIPT),
        "from" if line.contains(" import ") => Some(PYTHON),
        word if word.starts_with("print(") && !word.starts_with("print()") => Some(PYTHON),
        word if word.starts_with("console.log(") => Some(JAVASCRIPT),
        "def" | "class" | "async" if line.ends_with(':') => Some(PYTHON),
        word if word.starts_with("\"\"\"") || word.starts_with("'''") => Some(PYTHON),
        "package"
            if rest().any(|line| line.starts_with("import ") || line.starts_with("func ")) =>
        {
            Some(GO)
        }
        "(module" | "(component" => Some(WAT),
        word if begins(&["<?xml", "<?php", "<!DOCTYPE", "<!doctype", "<html"])
            && !word.is_empty() =>
        {
            Some(MARKUP)
        }
        "{" if rest()
            .next()
            .is_some_and(|next| next.trim_start().starts_with('"') && next.contains("\":")) =>
        {
            Some(JSON)
        }
        word if word.starts_with("{\"") => Some(JSON),
        _ => None,
    }
}

/// Returns the language that the lines after a `//` or `/*` comment show.
fn by_rest<'a, I: Iterator<Item = &'a str>>(rest: impl Fn() -> I) -> (&'static str, &'static str) {
    let code = rest().map(str::trim_start).filter(|line| {
        let comments = ["//", "/*", "*", "#"];
        !(line.is_empty() || comments.iter().any(|begin| line.starts_with(begin)))
    });
    for line in code {
        if let Some(found) = by_line(line, std::iter::empty) {
            return found;
        }
        if C_WORDS.contains(&first_word(line)) {
            return C;
        }
    }
    COMPILED
}

fn is_python_module(name: &str) -> bool {
    let mut words = name.split_whitespace();
    let plain = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
    };
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(name), None, ..) => plain(name),
        (Some(name), Some("as"), Some(alias), None) => plain(name) && plain(alias),
        _ => false,
    }
}

fn first_word(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result_of(text: &str) -> String {
        check(text.as_bytes()).map_or_else(|refusal| refusal.to_string(), |()| "fine".into())
    }

    #[test]
    fn source_of_another_language_is_recognized_by_its_first_line() {
        for (text, language) in [
            ("//! A hook.\n\nuse tenterhook_sdk::Verdict;\n", "in Rust"),
            ("#![no_main]\nuse std::env;\n", "in Rust"),
            ("use std::{env, fs};\n", "in Rust"),
            ("fn main() {\n}\n", "in Rust"),
            ("import json\nimport sys\n", "in Python"),
            ("# a hook\nimport os, sys as s\n", "in Python"),
            ("from wit_world import exports\n", "in Python"),
            ("\"\"\"A hook.\"\"\"\nimport sys\n", "in Python"),
            ("def main(event):\n    pass\n", "in Python"),
            ("print('hello world')\n", "in Python"),
            ("console.log(\"hi\");\n", "in JavaScript"),
            ("import { readFileSync } from 'fs';\n", "in JavaScript"),
            ("// A hook.\nexport const run = {\n", "in JavaScript"),
            ("const fs = require('fs');\n", "in JavaScript"),
            ("function run(event) {\n", "in JavaScript"),
            ("const std = @import(\"std\");\n", "in Zig"),
            ("//! A hook.\nconst std = @import(\"std\");\n", "in Zig"),
            ("#include <stdio.h>\n\nint main(void) {\n", "in C"),
            (
                "/* A hook. */\n#include <stdio.h>\nint main(void) {\n",
                "in C",
            ),
            ("package main\n\nimport \"fmt\"\n", "in Go"),
            ("(module\n  (func))\n", "WebAssembly as text"),
            ("<!DOCTYPE html>\n", "HTML"),
            ("{\n  \"id\": \"x\"\n}\n", "JSON"),
            ("{\"id\": \"x\"}\n", "JSON"),
            ("version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        ] {
            let result = result_of(text);
            assert!(result.contains(language), "{text}: {result}");
        }
    }

    #[test]
    fn a_shell_script_is_one_whatever_it_quotes() {
        for text in [
            "",
            "\n\n",
            "echo hi\n",
            "#!/bin/sh\nimport os\n",
            "# include <x>\n#include <x>\necho int main\n",
            "cat > /work/x.py <<EOF\nimport sys\nEOF\n",
            "{ echo a; echo b; } > /work/x\n",
            "{\n  echo \"a\": b\n}\n",
            "(cd /work && ls)\n",
            "(\n  module=x\n)\n",
            "function guard() {\n  true\n}\n",
            "guard() {\n  true\n}\n",
            "print() { echo \"$@\"; }\nprint a\n",
            "let x=1\n",
            "export A=b\n",
            "export A='{'\n",
            "use=1\n",
            "from=a import=b env\n",
            "class=osd\n",
            "\"$HOOK_PARAM_SERVER_NAME\" || true\n",
            "'use' this\n",
            "< /event.json jq .\n",
            "/bin/true\n",
            "var=1 const=2 env\n",
            "import -window root shot.png\n",
        ] {
            assert_eq!(result_of(text), "fine", "{text}");
        }
    }

    #[test]
    fn programs_and_archives_are_recognized_by_their_magic_numbers() {
        for (bytes, what) in [
            (&b"\x7fELF\x02\x01\x01"[..], "a program for Linux"),
            (b"\xcf\xfa\xed\xfe\x07\0\0\x01", "a program for macOS"),
            (b"MZ\x90\0", "a program for Windows"),
            (b"\x1f\x8b\x08", "a gzip archive"),
            (b"\xff\xfee\0", "text in UTF-16"),
        ] {
            let refusal = check(bytes).unwrap_err().to_string();
            assert!(refusal.contains(what), "{refusal}");
        }
        let large = [b"\x7fELF", &vec![0; 4 << 20][..]].concat();
        let refusal = check(&large).unwrap_err().to_string();
        assert!(refusal.contains("wasm32-wasip1"), "{refusal}");
    }
}
