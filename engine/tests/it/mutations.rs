//! Programs with bytes changed, lost or duplicated: the engine always returns a result and
//! never panics.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use tenterhook_engine::{Engine, Error, Kind};

use crate::guests;
use crate::harness::{ENGINE, component_of};
use crate::wasm;

/// One change to some bytes.
#[derive(Clone, Debug)]
enum Mutation {
    Set(Index, u8),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Double(Index, usize),
    Cut(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = any::<Index>;
    prop_oneof![
        4 => (place(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        4 => (place(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        2 => (place(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        2 => (place(), 1..64_usize).prop_map(|(at, count)| Mutation::Remove(at, count)),
        2 => (place(), 1..64_usize).prop_map(|(at, count)| Mutation::Double(at, count)),
        1 => place().prop_map(Mutation::Cut),
    ]
}

fn mutated(mut bytes: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        if bytes.is_empty() {
            break;
        }
        let len = bytes.len();
        let range = |at: &Index, count: usize| at.index(len)..(at.index(len) + count).min(len);
        match mutation {
            Mutation::Set(at, byte) => bytes[at.index(len)] = *byte,
            Mutation::Flip(at, bit) => bytes[at.index(len)] ^= 1 << bit,
            Mutation::Insert(at, more) => {
                bytes.splice(at.index(len)..at.index(len), more.iter().copied());
            }
            Mutation::Remove(at, count) => {
                bytes.drain(range(at, *count));
            }
            Mutation::Double(at, count) => {
                let again = bytes[range(at, *count)].to_vec();
                bytes.splice(at.index(len)..at.index(len), again);
            }
            Mutation::Cut(at) => bytes.truncate(at.index(len)),
        }
    }
    bytes
}

/// Surveys the bytes as every kind of program.
fn survey(bytes: &[u8]) {
    for kind in [
        Kind::detect(bytes),
        Kind::Module,
        Kind::Component,
        Kind::Script,
    ] {
        match Engine::survey(kind, bytes) {
            Ok(survey) => assert!(survey.imports.len() <= bytes.len()),
            // A refusal is shown to people: it is short, and plain text.
            Err(refusal) => {
                let text = refusal.to_string();
                assert!(text.len() < 2_000, "{text}");
                assert!(!text.contains(char::is_control), "{text:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_survey_of_a_mutated_module_never_panics(mutations in vec(mutation(), 1..6)) {
        let hello = std::fs::read(guests::FRIENDLY_HELLO).unwrap();
        survey(&mutated(hello, &mutations));
        survey(&mutated(wasm::exit("wasi_unstable"), &mutations));
    }

    #[test]
    fn a_survey_of_a_mutated_component_never_panics(mutations in vec(mutation(), 1..6)) {
        let hello = std::fs::read(component_of(guests::FRIENDLY_HELLO)).unwrap();
        survey(&mutated(hello, &mutations));
        survey(&mutated(wasm::importing("wasi:cli/environment@0.2.0"), &mutations));
        survey(&mutated(wasm::many_instances(3), &mutations));
    }

    #[test]
    fn a_survey_of_any_bytes_never_panics(bytes in vec(any::<u8>(), 0..200)) {
        survey(&bytes);
        survey(&[b"\0asm\x01\0\0\0", &*bytes].concat());
        survey(&[b"\0asm\x0d\0\x01\0", &*bytes].concat());
    }

    #[test]
    fn a_survey_of_any_script_never_panics(first in "#?!?.{0,40}", rest in "\\PC*") {
        survey(format!("{first}\n{rest}").as_bytes());
        survey(format!("#!{first}\n{rest}").as_bytes());
        survey(format!("#!/usr/bin/env {first}").as_bytes());
    }

    #[test]
    fn what_is_left_of_a_mutated_module_is_loaded_or_refused(mutations in vec(mutation(), 1..4)) {
        let bytes = mutated(wasm::exit("wasi_snapshot_preview1"), &mutations);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        match runtime.block_on(ENGINE.load(Kind::Module, &bytes)) {
            Ok(_) | Err(Error::Refused { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}
