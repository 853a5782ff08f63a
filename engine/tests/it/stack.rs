//! The stack that a guest may use, which is the same for all runs of an engine.

use tenterhook_engine::{Engine, GuestStack, Limits, Outcome, Settings};
use tenterhook_ledger::{Holder, Resource};

use crate::harness::{Run, SUCCESS, engine, load};
use crate::{guests, wasm};

/// As many calls as take more than 512 KiB and less than 8 MiB.
const DEEP: i32 = 50_000;

fn engine_with(stack: GuestStack) -> Engine {
    engine(Settings {
        stack,
        ..Settings::default()
    })
}

fn reason(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Trapped(trap) => &trap.reason,
        outcome => panic!("{outcome}"),
    }
}

#[tokio::test]
async fn a_guest_that_needs_a_deeper_stack_is_told_how_to_get_it_and_runs_with_it() {
    let (default, deep) = (
        engine_with(GuestStack::default()),
        engine_with(GuestStack::MOST),
    );
    for run in Run::bytes_in_every_form(wasm::recursing(DEEP)) {
        let run = run.on(&default).await;
        assert_eq!(
            reason(&run.outcome),
            "wasm trap: call stack exhausted at 512 KiB; `--stack` allows more"
        );
    }
    for run in Run::bytes_in_every_form(wasm::recursing(DEEP)) {
        assert_eq!(run.on(&deep).await.outcome, SUCCESS);
    }
}

#[tokio::test]
async fn endless_recursion_is_a_trap_on_the_deepest_stack_too() {
    let engine = engine_with(GuestStack::MOST);
    for run in Run::bytes_in_every_form(wasm::recursing(i32::MAX)) {
        let run = run.on(&engine).await;
        assert_eq!(
            reason(&run.outcome),
            "wasm trap: call stack exhausted at 8 MiB, the most that a guest may use"
        );
    }
}

#[tokio::test]
async fn ordinary_programs_run_on_the_smallest_stack() {
    let engine = engine_with(GuestStack::LEAST);
    for run in Run::in_every_form(guests::FRIENDLY_HELLO) {
        assert_eq!(run.on(&engine).await.outcome, SUCCESS);
    }
    let run = Run::script("f() { echo \"$1\" | tr a b; }; f a");
    assert_eq!(run.on(&engine).await.text(), "b\n");
}

#[tokio::test]
async fn a_run_is_charged_for_a_stack_beyond_the_default() {
    let account = Holder::Account(1);
    let mut charged = Vec::new();
    for stack in [GuestStack::LEAST, GuestStack::default(), GuestStack::MOST] {
        let engine = engine_with(stack);
        let program = load(&engine, &wasm::recursing(1)).await;
        let _permit = engine.admit(account, &program, &Limits::default()).unwrap();
        charged.push(engine.ledger().held(account, Resource::Memory));
    }
    assert_eq!(charged[0], charged[1]);
    assert_eq!(charged[2] - charged[1], GuestStack::MOST.extra_memory());
}
