//! Any bytes as a script, its first line included: refused in one plain line, or
//! text for one of the shells.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tenterhook_admission::{Kind, SCRIPT_MAX_BYTES, survey};
use tenterhook_fuzz::assert_is_one_plain_line;

fuzz_target!(|bytes: &[u8]| {
    match survey(Kind::Script, bytes) {
        Ok(found) => {
            assert!(found.imports.is_empty() && !found.uses_files);
            check_admitted(bytes);
        }
        Err(refusal) => assert_is_one_plain_line(&refusal.to_string()),
    }
});

fn check_admitted(bytes: &[u8]) {
    assert!(bytes.len() as u64 <= SCRIPT_MAX_BYTES);
    let text = std::str::from_utf8(bytes).expect("what is admitted is text");
    assert!(!text.contains('\0'));
    let first = text.lines().next().unwrap_or_default();
    if let Some(interpreter) = first.strip_prefix("#!") {
        let shell = interpreter
            .split(|c: char| c.is_ascii_whitespace() || c == '/')
            .any(|word| matches!(word, "sh" | "dash" | "bash"));
        assert!(shell, "{first:?}");
    }
    // What follows the first line makes no difference.
    let longer = format!("{text}\necho");
    let is_longer_admitted = survey(Kind::Script, longer.as_bytes()).is_ok();
    assert_eq!(is_longer_admitted, longer.len() as u64 <= SCRIPT_MAX_BYTES);
}
