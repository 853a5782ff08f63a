//! Components that are composed of others: their parts pass text to each other, from one
//! memory to the other, by code that the compiler generates.

use std::time::Duration;

use tenterhook_engine::{Kind, Limit, Outcome, Refusal};
use wasm_encoder::{CanonicalOption, ComponentBuilder};

use crate::harness::{Run, SUCCESS, refusal, stopped};
use crate::wasm;

#[tokio::test]
async fn the_parts_of_a_component_pass_each_other_text() {
    let run = Run::bytes(wasm::composed()).go().await;
    assert_eq!(run.outcome, SUCCESS);
}

/// The compiler has `multi-memory` on for its own code; no part of a program may use it.
#[tokio::test]
async fn a_part_that_needs_a_disabled_proposal_is_refused() {
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

/// Every pair of encodings, and the most bytes that the receiver allocates at once for each
/// unit of the sender's.
const PAIRS: [([CanonicalOption; 2], i32); 6] = {
    use CanonicalOption::{CompactUTF16, UTF8, UTF16};
    [
        ([UTF8, UTF8], 1),
        ([UTF8, UTF16], 2),
        ([UTF8, CompactUTF16], 1),
        ([UTF16, UTF8], 3),
        ([UTF16, UTF16], 2),
        // The letter exists in Latin-1.
        ([UTF16, CompactUTF16], 1),
    ]
};

/// Returns the units of the largest text that may be passed between such a pair.
fn largest((encodings, room): ([CanonicalOption; 2], i32)) -> i32 {
    // The check for Latin-1 is ten times as slow without optimization, as here.
    let slow = match encodings[1] {
        CanonicalOption::CompactUTF16 => 16,
        _ => 1,
    };
    (ROOM / room / slow) & !1
}

/// The most that a part allocates at once.
const ROOM: i32 = 8 << 20;

fn handing(encodings: [CanonicalOption; 2], units: i32, times: Option<i32>) -> Run {
    let handed = wasm::Handed {
        encodings,
        units,
        times,
        realloc: "any name",
    };
    Run::bytes(wasm::handing(handed)).limits(|limits| {
        limits.fuel = u64::MAX >> 1;
        limits.memory = 64 << 20;
    })
}

#[tokio::test]
async fn parts_that_pass_each_other_large_texts_are_cut_like_any_other_work() {
    for pair in PAIRS {
        let (encodings, units) = (pair.0, largest(pair));
        let run = handing(encodings, units, None)
            .limits(|limits| limits.wall = Duration::from_millis(200));
        // The harness checks that none keeps its thread for long.
        assert_eq!(
            run.go().await.outcome,
            stopped(Limit::Wall),
            "{encodings:?}"
        );
    }
}

#[tokio::test]
async fn every_byte_that_a_part_allocates_for_a_text_costs_fuel() {
    const UNITS: i32 = 1 << 18;
    for (encodings, room) in PAIRS {
        let mut fuel = [0; 2];
        for (times, fuel) in (1..).zip(&mut fuel) {
            let run = handing(encodings, UNITS, Some(times)).go().await;
            assert_eq!(run.outcome, SUCCESS, "{encodings:?}");
            *fuel = run.usage.fuel;
        }
        let once = fuel[1] - fuel[0];
        let least = 10 * u64::try_from(UNITS * room).unwrap();
        // Memory may be allocated in two steps, and shrunk once the text is there.
        assert!((least..3 * least).contains(&once), "{encodings:?}: {once}");
    }
    let [utf8, ..] = PAIRS;
    let run = handing(utf8.0, UNITS, None).limits(|limits| limits.fuel = 20_000_000);
    assert_eq!(run.go().await.outcome, stopped(Limit::Fuel));
}

#[tokio::test]
async fn a_text_too_large_to_pass_at_once_traps_with_the_reason() {
    for (encodings, room) in PAIRS {
        let run = handing(encodings, largest((encodings, room)), Some(1));
        assert_eq!(run.go().await.outcome, SUCCESS, "{encodings:?}");
        let run = handing(encodings, ((ROOM / room) & !1) + 2, Some(1))
            .go()
            .await;
        let Outcome::Trapped(trap) = &run.outcome else {
            panic!("{encodings:?}: {:?}", run.outcome);
        };
        assert_eq!(
            trap.reason,
            "a part of the component was passed a text or list of more than 8 MiB"
        );
    }
}
