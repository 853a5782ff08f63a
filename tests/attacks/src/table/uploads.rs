//! Uploads that would cost too much to compile or to start, or are not programs.

use std::time::Duration;

use tenterhook_tests_artifacts::handmade::{self, Bomb};

use crate::attack::{Attack, Expected};

const NOT_OFFERED: &str = "not offered";

pub(super) fn attacks() -> Vec<Attack> {
    let mut attacks = bombs();
    attacks.extend(components());
    attacks.extend(compiler_bombs());
    for (proposal, bytes) in handmade::proposals() {
        attacks.push(
            Attack::bytes(&format!("the proposal `{proposal}`"), bytes).expect(
                Expected::Refused(proposal),
                "engine/tests/it/admission.rs::disabled_proposals_are_named",
            ),
        );
    }
    attacks.push(
        Attack::bytes(
            "another interpreter, with an escape sequence",
            b"#!/bin/\x1b[2Jzsh\n".to_vec(),
        )
        .expect(
            Expected::Refused("interpreter"),
            "cli/tests/it/check.rs::guest_text_in_a_refusal_cannot_control_the_terminal",
        ),
    );
    attacks
}

fn bombs() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for Bomb { what, make } in handmade::bombs() {
        attacks.push(Attack::made(&format!("too much: {what}"), make).expect(
            Expected::Refused(what),
            "engine/tests/it/admission.rs::a_compiler_bomb_is_detected_before_it_is_compiled",
        ));
    }
    attacks.push(
        Attack::made("99 tables", || handmade::many_tables(99)).expect(
            Expected::Refused("table"),
            "engine/tests/it/admission.rs::a_module_with_99_tables_is_refused",
        ),
    );
    attacks.push(
        Attack::made("a module of more than 128 MiB", || {
            let mut bytes = handmade::memory_of(1);
            bytes.resize((128 << 20) + 1, 0);
            bytes
        })
        .expect(
            Expected::Refused("at most 134217728"),
            "engine/tests/it/admission.rs::a_module_that_is_too_large_is_refused_unread",
        ),
    );
    attacks.push(
        Attack::made("a module that ends early", || {
            let mut bytes = handmade::memory_of(1);
            bytes.pop();
            bytes
        })
        .expect(
            Expected::Refused("not a valid module"),
            "engine/tests/it/admission.rs::a_module_that_ends_early_is_malformed_at_every_length",
        ),
    );
    attacks
}

fn components() -> Vec<Attack> {
    let test = "engine/tests/it/admission.rs::a_component_of_too_many_parts_is_refused";
    vec![
        Attack::made("a component of 1,001 modules", || {
            handmade::many_modules(1_001)
        })
        .expect(Expected::Refused("modules"), test),
        Attack::made("a component of 990 instances", || {
            handmade::many_instances(990)
        })
        .expect(Expected::Refused("instances"), test),
        Attack::made("a component that asks for HTTP requests", || {
            handmade::importing("wasi:http/incoming-handler@0.2.0")
        })
        .expect(
            Expected::Refused(NOT_OFFERED),
            "engine/tests/it/admission.rs::an_interface_that_is_not_offered_is_named",
        ),
    ]
}

/// Programs that pass every count and would keep the compiler busy for long.
fn compiler_bombs() -> Vec<Attack> {
    let time = Expected::Refused("processor time");
    let soon = |attack: Attack| attack.compile(|limits| limits.cpu = Some(Duration::from_secs(1)));
    vec![
        soon(Attack::made("280,000 loops over the same locals", || {
            handmade::loops(4)
        }))
        .expect(
            time,
            "cli/tests/it/compiler.rs::a_module_of_many_loops_is_refused_when_compiling_takes_too_long",
        ),
        soon(Attack::made(
            "190,000 functions of 4,090 locals",
            handmade::locals_everywhere,
        ))
        .expect(
            time,
            "cli/tests/it/compiler.rs::a_module_of_many_locals_is_refused_when_compiling_takes_too_long",
        ),
        Attack::made("280,000 loops in 256 MiB", || handmade::loops(4))
            .compile(|limits| limits.memory = 256 << 20)
            .expect(
                Expected::Refused("256 MiB of memory"),
                "cli/tests/it/compiler.rs::a_module_that_needs_too_much_memory_to_compile_is_refused",
            ),
        soon(Attack::made("instances that double 24 times", || {
            handmade::doubling(24)
        }))
        .expect(
            Expected::Refused("the component"),
            "cli/tests/it/compiler.rs::a_component_whose_instances_double_at_every_level_is_refused",
        ),
    ]
}
