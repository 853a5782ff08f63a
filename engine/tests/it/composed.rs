//! Components that are composed of others: their parts hand each other text, from
//! one memory to the other, by code that the compiler makes for it.

use tenterhook_engine::{Kind, Refusal};
use wasm_encoder::ComponentBuilder;

use crate::harness::{Run, SUCCESS, refusal};
use crate::wasm;

#[tokio::test]
async fn the_parts_of_a_component_hand_each_other_text() {
    let run = Run::bytes(wasm::composed()).go().await;
    assert_eq!(run.outcome, SUCCESS);
}

/// The compiler has `multi-memory` on for its own code; no part of a program may use it.
#[tokio::test]
async fn a_part_that_needs_a_proposal_that_is_off_is_refused() {
    for (proposal, module) in wasm::proposals() {
        let mut whole = ComponentBuilder::default();
        whole.core_module_raw(None, &module);
        let whole = whole.finish();
        let refusal = refusal(Kind::Component, &whole).await;
        let Refusal::Proposal {
            proposal: named, ..
        } = &refusal
        else {
            panic!("{proposal}: {refusal}");
        };
        assert_eq!(*named, proposal);
    }
}
