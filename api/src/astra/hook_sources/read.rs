//! A source's text: base64, of the length and kind that its type allows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use tenterhook_engine::Kind;

use crate::app::App;
use crate::astra::problem::Problem;

/// Longest script in base64, in characters: 96 KiB of text.
pub(super) const SCRIPT_MAX_CHARS: usize = 128 * 1024;

/// Room for everything beside the source in a body.
const BESIDE_BYTES: u64 = 256 * 1024;

/// Most bytes of a body with a source.
pub(super) fn body_max_bytes(app: &App) -> u64 {
    wasm_max_chars(app) as u64 + BESIDE_BYTES
}

/// Longest Wasm program in base64, in characters.
fn wasm_max_chars(app: &App) -> usize {
    let bytes = usize::try_from(app.dispatcher().settings().module_bytes).unwrap_or(usize::MAX);
    bytes.div_ceil(3).saturating_mul(4)
}

/// Decodes a source that may be as long as a script, or as a Wasm program.
pub(super) fn decode(app: &App, text: &str, may_be_wasm: bool) -> Result<Bytes, Problem> {
    let longest = if may_be_wasm {
        wasm_max_chars(app).max(SCRIPT_MAX_CHARS)
    } else {
        SCRIPT_MAX_CHARS
    };
    if text.len() > longest {
        let failure = format!("`source` must not have more than {longest} characters");
        return Err(Problem::schema(failure));
    }
    STANDARD.decode(text).map(Bytes::from).map_err(|_| {
        Problem::field(
            "source",
            "must be base64 with padding and without line breaks",
        )
    })
}

/// Checks that the bytes are what `sourceType` says.
pub(super) fn check_kind(bytes: &[u8], source_type: &str) -> Result<(), Problem> {
    let is_wasm = Kind::detect(bytes) != Kind::Script;
    match source_type {
        "wasm" if is_wasm => Ok(()),
        "wasm" => Err(Problem::field(
            "source",
            "must be a WebAssembly module or component; it does not begin with `\\0asm`",
        )),
        _ => check_script(bytes).map_err(|reason| Problem::field("source", reason)),
    }
}

/// A script is text in UTF-8, without carriage returns or other control characters
/// than tabs and line feeds.
fn check_script(bytes: &[u8]) -> Result<(), String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let place = error.valid_up_to();
            return Err(format!("must be a script in UTF-8; byte {place} is not"));
        }
    };
    let foreign = text
        .bytes()
        .position(|byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n'));
    match foreign {
        None => Ok(()),
        Some(place) if bytes[place] == b'\r' => Err(format!(
            "must not hold carriage returns; byte {place} is one"
        )),
        Some(place) => Err(format!(
            "must not hold binary data; byte {place} is a control character"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_must_be_text_without_control_characters() {
        for script in ["", "#!/bin/sh\n\techo größe\n", "echo \u{7f}"] {
            assert_eq!(check_kind(script.as_bytes(), "script"), Ok(()), "{script}");
        }
        for (script, word) in [
            (&b"echo\r\n"[..], "carriage return"),
            (b"echo\0", "binary"),
            (b"\x1b[2J", "binary"),
            (b"caf\xe9", "UTF-8; byte 3"),
            (b"\0asm\x01\0\0\0", "binary"),
        ] {
            assert!(check_script(script).unwrap_err().contains(word), "{word}");
        }
    }

    #[test]
    fn a_wasm_program_starts_with_its_magic_number() {
        assert!(check_kind(b"\0asm\x01\0\0\0", "wasm").is_ok());
        assert!(check_kind(b"\0asm\x0d\0\x01\0", "wasm").is_ok());
        assert!(check_kind(b"echo hi", "wasm").is_err());
    }
}
