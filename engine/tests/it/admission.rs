//! Bytes that are not a program for this sandbox are refused at upload, with a reason
//! that says what was found.

use std::time::Duration;

use tenterhook_engine::{CompileLimits, Engine, Error, Kind, Refusal, Settings};
use wasm_encoder::{EntityType, Function, MemoryType, ValType};

use crate::guests;
use crate::harness::{ENGINE, Run, SUCCESS, engine, refusal};
use crate::wasm::{self, Shape, nothing};

#[tokio::test]
async fn disabled_proposals_are_named() {
    for (proposal, bytes) in wasm::proposals() {
        let refusal = refusal(Kind::Module, &bytes).await;
        let Refusal::Proposal {
            proposal: named, ..
        } = &refusal
        else {
            panic!("{proposal}: {refusal}");
        };
        assert_eq!(*named, proposal);
    }
}

#[tokio::test]
async fn a_compiler_bomb_is_detected_before_it_is_compiled() {
    for wasm::Bomb { what, make } in wasm::bombs() {
        let refusal = refusal(Kind::Module, &make()).await;
        let Refusal::TooMany { what: named, .. } = &refusal else {
            panic!("{what}: {refusal}");
        };
        assert_eq!(*named, what);
    }
}

#[tokio::test]
async fn a_module_with_99_tables_is_refused() {
    refusal(Kind::Module, &wasm::many_tables(99)).await;
    assert_eq!(Run::bytes(wasm::many_tables(8)).go().await.outcome, SUCCESS);
}

#[tokio::test]
async fn a_component_of_too_many_parts_is_refused() {
    for (bytes, bound) in [
        (wasm::many_modules(1_001), "at most 1000"),
        (wasm::many_instances(990), "maximum of 64"),
    ] {
        let refusal = refusal(Kind::Component, &bytes).await.to_string();
        assert!(refusal.contains(bound), "{refusal}");
    }
}

#[tokio::test]
async fn a_module_that_is_too_large_is_refused_unread() {
    let mut bytes = wasm::memory_of(1);
    bytes.resize((128 << 20) + 1, 0);
    let refusal = refusal(Kind::Module, &bytes).await;
    assert!(
        matches!(
            refusal,
            Refusal::TooLarge {
                limit: 0x800_0000,
                ..
            }
        ),
        "{refusal}"
    );
}

#[tokio::test]
async fn imports_that_are_not_offered_are_named() {
    for (module, name, ty) in [
        ("env", "secret", EntityType::Function(0)),
        (
            "wasi_snapshot_preview1",
            "fd_everything",
            EntityType::Function(0),
        ),
        ("tenterhook_shell", "input_len", EntityType::Function(0)),
        ("", "", EntityType::Function(0)),
        (
            "env",
            "memory",
            EntityType::Memory(MemoryType {
                minimum: 1,
                maximum: None,
                memory64: false,
                shared: false,
                page_size_log2: None,
            }),
        ),
    ] {
        let mut shape = Shape::default();
        shape.imports.import(module, name, ty);
        shape.imported = u32::from(matches!(ty, EntityType::Function(_)));
        shape.export_memory = shape.imported == 1;
        let memories = if shape.export_memory {
            vec![one_page()]
        } else {
            vec![]
        };
        let refusal = refusal(Kind::Module, &shape.finish(&memories, &[(0, nothing())])).await;
        assert_eq!(
            refusal,
            Refusal::Import {
                kind: Kind::Module,
                import: format!("{module}::{name}")
            }
        );
    }
}

#[tokio::test]
async fn advice_follows_the_most_telling_import_of_a_module() {
    for (imports, named, advice) in [
        (
            &["env::memory_base", "env::opa_abort", "env::opa_builtin0"][..],
            "env::opa_abort",
            "OPA",
        ),
        (
            &["env::abort", "env::emscripten_resize_heap"],
            "env::emscripten_resize_heap",
            "wasi-sdk",
        ),
        (&["env::seed", "env::abort"], "env::seed", "AssemblyScript"),
        (
            &["wasi_snapshot_preview1::fd_write", "env::proxy_log"],
            "env::proxy_log",
            "proxy-wasm",
        ),
        (
            &["extism:host/env::input_length"],
            "extism:host/env::input_length",
            "Extism",
        ),
        (&["env::one", "env::two"], "env::one", "linker"),
    ] {
        let mut shape = Shape::default();
        for import in imports {
            let (module, name) = import.rsplit_once("::").unwrap();
            shape.imports.import(module, name, EntityType::Function(0));
        }
        shape.imported = u32::try_from(imports.len()).unwrap();
        let refusal = refusal(Kind::Module, &shape.command(nothing())).await;
        let Refusal::Import { import, .. } = &refusal else {
            panic!("{refusal}");
        };
        assert_eq!(import, named);
        assert!(refusal.to_string().contains(advice), "{refusal}");
    }
}

#[tokio::test]
async fn an_import_of_the_wrong_type_is_named() {
    let mut shape = Shape::default();
    let wrong = shape.ty([ValType::I64], []);
    shape.imports.import(
        "wasi_snapshot_preview1",
        "fd_write",
        EntityType::Function(wrong),
    );
    shape.imported = 1;
    let refusal = refusal(Kind::Module, &shape.command(nothing())).await;
    let Refusal::Link { reason, .. } = &refusal else {
        panic!("{refusal}");
    };
    assert!(
        reason.contains("wasi_snapshot_preview1::fd_write"),
        "{reason}"
    );
}

#[tokio::test]
async fn an_interface_that_is_not_offered_is_named() {
    for interface in [
        "wasi:http/incoming-handler@0.2.0",
        "wasi:cli/environment@0.3.0",
        "my:own/thing",
    ] {
        let refusal = refusal(Kind::Component, &wasm::importing(interface)).await;
        assert_eq!(
            refusal,
            Refusal::Import {
                kind: Kind::Component,
                import: interface.into()
            }
        );
    }
}

#[tokio::test]
async fn a_component_that_is_not_a_command_is_refused() {
    let refusal = refusal(
        Kind::Component,
        &wasm::importing("wasi:cli/environment@0.2.0"),
    )
    .await;
    assert!(
        matches!(
            refusal,
            Refusal::NoEntry {
                export: "wasi:cli/run@0.2",
                ..
            }
        ),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_library_without_an_entry_point_is_refused() {
    for entry in [None, Some("_initialize")] {
        let shape = Shape {
            entry,
            ..Shape::default()
        };
        let refusal = refusal(Kind::Module, &shape.command(nothing())).await;
        assert!(
            matches!(
                refusal,
                Refusal::NoEntry {
                    export: "_start",
                    ..
                }
            ),
            "{refusal}"
        );
    }
}

#[tokio::test]
async fn an_entry_point_of_the_wrong_type_is_refused() {
    let mut shape = Shape::default();
    let wrong = shape.ty([ValType::I32], []);
    let refusal = refusal(Kind::Module, &shape.functions(&[(wrong, nothing())])).await;
    assert!(
        matches!(
            refusal,
            Refusal::NoEntry {
                export: "_start",
                ..
            }
        ),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_module_that_ends_early_is_malformed_at_every_length() {
    let whole = std::fs::read(guests::FRIENDLY_HELLO).unwrap();
    for len in [4, 7, 8, 9, 100, whole.len() / 2, whole.len() - 1] {
        let refusal = refusal(Kind::Module, &whole[..len]).await;
        let about_the_bytes =
            matches!(refusal, Refusal::Malformed { .. } | Refusal::NoEntry { .. });
        assert!(about_the_bytes, "{len}: {refusal}");
    }
}

#[tokio::test]
async fn invalid_code_is_malformed() {
    let mut wrong = Function::new([]);
    wrong.instructions().i32_add().end();
    let refusal = refusal(Kind::Module, &Shape::default().command(wrong)).await;
    assert!(matches!(refusal, Refusal::Malformed { .. }), "{refusal}");
}

#[tokio::test]
async fn one_kind_is_not_taken_for_another() {
    let module = std::fs::read(guests::FRIENDLY_HELLO).unwrap();
    refusal(Kind::Component, &module).await;
    refusal(Kind::Script, &module).await;
    refusal(Kind::Module, b"(module (func (export \"_start\")))").await;
    refusal(Kind::Module, b"").await;
    let component = wasm::importing("wasi:cli/environment@0.2.0");
    refusal(Kind::Module, &component).await;
}

#[tokio::test]
async fn a_script_for_another_interpreter_is_refused() {
    let refusal = refusal(Kind::Script, b"#!/usr/bin/env python3\nprint(1)\n").await;
    assert_eq!(
        refusal.to_string(),
        "the script asks for the interpreter `/usr/bin/env python3`; only sh, dash and bash are offered; \
         Python runs as a component, built with componentize-py (`tenterhook new NAME --lang python` \
         makes a project)"
    );
}

#[tokio::test]
async fn a_refusal_costs_the_engine_nothing() {
    refusal(Kind::Module, &wasm::many_tables(99)).await;
    assert_eq!(
        Run::guest(guests::FRIENDLY_HELLO).go().await.outcome,
        SUCCESS
    );
}

#[tokio::test]
async fn a_survey_lists_the_imports_of_a_module_without_compiling_it() {
    let survey = Engine::survey(Kind::Module, &wasm::exit("wasi_unstable")).unwrap();
    assert_eq!(
        survey.imports,
        ["wasi_unstable::args_get", "wasi_unstable::proc_exit"]
    );
    assert_eq!((survey.functions, survey.uses_files), (1, false));
}

#[tokio::test]
async fn loading_the_same_bytes_again_gives_the_same_digest() {
    let bytes = wasm::memory_of(1);
    let (first, second) = (
        ENGINE.load(Kind::Module, &bytes).await,
        ENGINE.load(Kind::Module, &bytes).await,
    );
    assert_eq!(first.unwrap().digest(), second.unwrap().digest());
}

fn one_page() -> MemoryType {
    MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    }
}

#[tokio::test]
async fn a_compiler_that_hangs_is_stopped_after_its_wall_time() {
    let engine = engine(Settings {
        compiler: Some(vec!["/bin/sleep".into(), "1000".into()]),
        compile_limits: CompileLimits {
            stall: Duration::from_millis(50),
            ..CompileLimits::default()
        },
        ..Settings::default()
    });
    match engine.load(Kind::Module, &wasm::memory_of(1)).await {
        Err(Error::Refused { refusal }) => {
            assert!(
                refusal.to_string().contains("did nothing for 50ms"),
                "{refusal}"
            );
        }
        Err(error) => panic!("not a refusal: {error:?}"),
        Ok(_) => panic!("nothing was compiled, and yet it was accepted"),
    }
}
