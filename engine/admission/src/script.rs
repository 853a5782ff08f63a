//! Whether some bytes are a script for our shell: text, of a sane size, for `sh`.

use crate::foreign;
use crate::kind::Kind;
use crate::refusal::{Refusal, quoted};

/// The largest script, in bytes: 96 KiB.
pub const SCRIPT_MAX_BYTES: u64 = 96 << 10;

/// Interpreters whose scripts our shell runs.
const SHELLS: [&str; 3] = ["sh", "bash", "dash"];

/// Programs that only start the interpreter which is named after them. The last two do so
/// in containers; what they add to its environment or do with its signals has no
/// counterpart here.
const LAUNCHERS: [&str; 3] = ["env", "with-contenv", "dumb-init"];

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
    match first_not_utf8(bytes) {
        None => Ok(()),
        Some(offset) => Err(Refusal::NotText {
            offset,
            what: "not UTF-8",
        }),
    }
}

/// The first byte that is not UTF-8, comments aside: names of authors in Latin-1 are
/// common there, and no shell reads them.
fn first_not_utf8(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    while let Err(error) = std::str::from_utf8(&bytes[start..]) {
        let offset = start + error.valid_up_to();
        if !is_in_comment(bytes, offset) {
            return Some(offset);
        }
        start = offset + error.error_len().unwrap_or(bytes.len() - offset);
    }
    None
}

/// Returns whether `offset` is in a comment: behind a `#` that begins a word, with no
/// quotation mark before it on its line. A first line that names an interpreter is none:
/// what it says is acted on. A line of a here-document can look like a comment; such
/// bytes become U+FFFD there.
fn is_in_comment(bytes: &[u8], offset: usize) -> bool {
    let before = &bytes[..offset];
    let begin = before.iter().rposition(|byte| *byte == b'\n');
    let line = &before[begin.map_or(0, |at| at + 1)..];
    if begin.is_none() && line.starts_with(b"#!") {
        return false;
    }
    let mut is_start = true;
    for byte in line {
        match byte {
            b'#' if is_start => return true,
            b'\'' | b'"' | b'`' | b'\\' => return false,
            _ => is_start = byte.is_ascii_whitespace() || b";&|()".contains(byte),
        }
    }
    false
}

/// A script without a first line that names an interpreter is for `sh`.
fn check_interpreter(bytes: &[u8]) -> Result<(), Refusal> {
    let Some(line) = bytes.strip_prefix(b"#!") else {
        return Ok(());
    };
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    let mut program = base_name(words.next().unwrap_or_default());
    while LAUNCHERS.contains(&program) {
        let is_own = |word: &str| word.starts_with('-') || word.contains('=');
        program = base_name(words.find(|word| !is_own(word)).unwrap_or_default());
    }
    if SHELLS.contains(&program) {
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
    fn supported_shells_are_accepted() {
        for line in [
            "",
            "#!/bin/sh",
            "#! /bin/bash -eu",
            "#!/usr/bin/env bash",
            "#!/usr/bin/env -S LC_ALL=C sh -e",
            "#!/usr/bin/dash",
            "#!/usr/bin/with-contenv bash",
            "#!/command/with-contenv sh -e",
            "#!/usr/bin/dumb-init /bin/sh",
            "#!/usr/bin/env -S dumb-init -- bash",
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
            "#!/usr/bin/env",
            "#!/usr/bin/with-contenv python3",
            "#!/usr/bin/dumb-init -v",
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
    fn bytes_that_are_not_utf8_are_accepted_in_comments_alone() {
        for comment in [
            &b"# author: Ren\xe9\n"[..],
            b"#!/bin/sh\n\t# \xfc\n",
            b"echo a # \xfc \xe4",
            b"echo a;# \xe2\x82",
            b"echo \xc3\xbc # \xfc",
        ] {
            assert_eq!(check(comment), Ok(()), "{comment:?}");
        }
        for (text, at) in [
            (&b"echo \xfc # \xfc"[..], 5),
            (b"# \xfc\necho '# \xfc'", 12),
            (b"echo a#\xfc", 7),
            (b"echo \\# \xfc", 8),
            (b"#!/bin/sh \xfc\n", 10),
            (b"#!/bin/sh # \xfc", 12),
        ] {
            let refusal = check(text).unwrap_err();
            assert!(
                matches!(refusal, Refusal::NotText { offset, .. } if offset == at),
                "{text:?}: {refusal}"
            );
        }
    }

    #[test]
    fn a_script_has_at_most_96_kib() {
        let script = vec![b'#'; 96 * 1024];
        assert_eq!(check(&script), Ok(()));
        let script = vec![b'#'; 96 * 1024 + 1];
        assert!(matches!(check(&script), Err(Refusal::TooLarge { .. })));
    }
}
