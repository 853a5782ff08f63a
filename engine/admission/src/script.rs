//! Whether some bytes are a script for our shell: text, of a sane size, for `sh`.

use crate::foreign;
use crate::kind::Kind;
use crate::refusal::{Refusal, quoted};

/// The largest script, in bytes: 96 KiB.
pub const SCRIPT_MAX_BYTES: u64 = 96 << 10;

/// Interpreters whose scripts our shell runs.
const SHELLS: [&str; 3] = ["sh", "bash", "dash"];

/// Checks a script without running it.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Refusal> {
    // Before its size: what is too large for a script is most often none.
    foreign::check(bytes)?;
    if bytes.len() as u64 > SCRIPT_MAX_BYTES {
        return Err(Refusal::TooLarge {
            kind: Kind::Script,
            size: bytes.len() as u64,
            limit: SCRIPT_MAX_BYTES,
        });
    }
    check_text(bytes)?;
    check_interpreter(bytes)
}

fn check_text(bytes: &[u8]) -> Result<(), Refusal> {
    if let Some(offset) = bytes.iter().position(|byte| *byte == 0) {
        return Err(Refusal::NotText {
            offset,
            what: "NUL",
        });
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(()),
        Err(error) => Err(Refusal::NotText {
            offset: error.valid_up_to(),
            what: "not UTF-8",
        }),
    }
}

/// A script without a first line that names an interpreter is for `sh`.
fn check_interpreter(bytes: &[u8]) -> Result<(), Refusal> {
    let Some(line) = bytes.strip_prefix(b"#!") else {
        return Ok(());
    };
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    let mut program = words.next().unwrap_or_default();
    if base_name(program) == "env" {
        program = words
            .find(|word| !word.starts_with('-') && !word.contains('='))
            .unwrap_or_default();
    }
    if SHELLS.contains(&base_name(program)) {
        return Ok(());
    }
    Err(Refusal::Interpreter {
        interpreter: quoted(&line, 80),
    })
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shells_that_we_offer_are_accepted() {
        for line in [
            "",
            "#!/bin/sh",
            "#! /bin/bash -eu",
            "#!/usr/bin/env bash",
            "#!/usr/bin/env -S LC_ALL=C sh -e",
            "#!/usr/bin/dash",
        ] {
            let script = format!("{line}\necho hi\n");
            assert_eq!(check(script.as_bytes()), Ok(()), "{line}");
        }
    }

    #[test]
    fn another_interpreter_is_named_in_the_refusal() {
        for line in [
            "#!/usr/bin/env python3",
            "#!/usr/bin/perl -w",
            "#!",
            "#!/bin/zsh",
        ] {
            let refusal = check(line.as_bytes()).unwrap_err();
            assert!(matches!(refusal, Refusal::Interpreter { .. }), "{line}");
        }
    }

    #[test]
    fn an_interpreter_is_quoted_on_one_plain_line() {
        let refusal = check("#!/bin/\u{1b}[2Jzsh\u{2028}\u{202e}x\n".as_bytes()).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "the script asks for the interpreter `/bin/ [2Jzsh x`; only sh, dash and bash are offered"
        );
    }

    #[test]
    fn junk_is_not_a_script() {
        let refusal = check(b"echo \0").unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "the script is not text: byte 5 is NUL; send UTF-8 without NUL bytes"
        );
        assert!(check(b"echo \xff\xfe").is_err());
    }

    #[test]
    fn a_script_has_at_most_96_kib() {
        let script = vec![b'#'; 96 * 1024];
        assert_eq!(check(&script), Ok(()));
        let script = vec![b'#'; 96 * 1024 + 1];
        assert!(matches!(check(&script), Err(Refusal::TooLarge { .. })));
    }
}
