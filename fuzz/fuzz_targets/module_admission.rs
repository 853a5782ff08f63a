//! Any bytes as a module or a component: refused in one plain line, or valid and
//! within the bounds by a second count.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tenterhook_admission::{Kind, Survey, WASM_MAX_BYTES, survey};
use tenterhook_fuzz::assert_is_one_plain_line;
use wasmparser::{Parser, Payload, Validator};

fuzz_target!(|bytes: &[u8]| {
    let kind = match Kind::detect(bytes) {
        Kind::Script => Kind::Module,
        kind => kind,
    };
    match survey(kind, bytes) {
        Ok(found) => check_admitted(bytes, &found),
        Err(refusal) => assert_is_one_plain_line(&refusal.to_string()),
    }
});

fn check_admitted(bytes: &[u8], found: &Survey) {
    assert!(bytes.len() as u64 <= WASM_MAX_BYTES);
    Validator::new()
        .validate_all(bytes)
        .expect("what is admitted is valid");
    let mut functions = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.expect("what is valid can be read") {
            Payload::FunctionSection(section) => functions += u64::from(section.count()),
            Payload::CodeSectionEntry(body) => {
                assert!(body.range().len() <= 1 << 20);
                let locals = body.get_locals_reader().expect("valid").into_iter();
                let locals: u64 = locals.map(|local| u64::from(local.expect("valid").0)).sum();
                assert!(locals <= 4_096);
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    assert!(memory.expect("valid").initial <= 4_096);
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    assert!(table.expect("valid").ty.initial <= 131_072);
                }
            }
            _ => {}
        }
    }
    assert_eq!(functions, found.functions);
    for import in &found.imports {
        assert!(import.starts_with("wasi"), "{import:?}");
        assert_is_one_plain_line(import);
    }
}
