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
    assert!(!bytes.contains(&0));
    let mut lines = bytes.split(|byte| *byte == b'\n');
    for line in lines.clone() {
        assert!(std::str::from_utf8(line).is_ok() || line.contains(&b'#'));
    }
    let first = lines.next().unwrap_or_default();
    if let Some(interpreter) = first.strip_prefix(b"#!") {
        // Bytes that are not UTF-8 are admitted in comments, and this is none.
        let interpreter = std::str::from_utf8(interpreter).expect("the interpreter is text");
        let shell = interpreter
            .split(|c: char| c.is_ascii_whitespace() || c == '/')
            .any(|word| matches!(word, "sh" | "dash" | "bash"));
        assert!(shell, "{interpreter:?}");
    }
    // What follows the first line makes no difference.
    let longer = [bytes, b"\necho"].concat();
    let is_longer_admitted = survey(Kind::Script, &longer).is_ok();
    assert_eq!(is_longer_admitted, longer.len() as u64 <= SCRIPT_MAX_BYTES);
}
