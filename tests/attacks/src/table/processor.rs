//! Attacks on the processor and on time.

use tenterhook_engine::Limit;
use tenterhook_tests_artifacts::handmade::{self, Wait};

use crate::attack::{Attack, Expected};
use crate::guests;

/// The clock of the day, in preview 1.
const WALL_CLOCK: u32 = 0;
const HOUR_NS: u64 = 3_600_000_000_000;

const FUEL: Expected = Expected::Stopped(Limit::Fuel);
const WALL: Expected = Expected::Stopped(Limit::Wall);

pub(super) fn attacks() -> Vec<Attack> {
    let mut attacks = Vec::new();
    attacks.extend(
        Attack::both("endless loop", guests::LIMITS_SPIN_FOREVER).map(|attack| {
            attack.expect(
                FUEL,
                "engine/tests/it/bounded.rs::a_guest_that_never_returns_is_stopped_by_its_fuel",
            )
        }),
    );
    attacks.extend(
        Attack::both("endless loop, fuel without end", guests::LIMITS_SPIN_FOREVER).map(|attack| {
            attack.limits(super::soon).expect(
                WALL,
                "engine/tests/it/bounded.rs::a_guest_that_never_returns_is_stopped_by_the_wall_clock",
            )
        }),
    );
    attacks.push(
        Attack::made(
            "endless loop before the entry point",
            handmade::loop_in_start_function,
        )
        .expect(
            FUEL,
            "engine/tests/it/bounded.rs::a_guest_that_loops_before_its_entry_point_is_stopped",
        ),
    );
    for (how, name) in [
        ("", "sleep of an hour"),
        ("until", "sleep until a time in an hour"),
        ("many", "64 sleeps at once"),
    ] {
        attacks.extend(
            Attack::both(name, guests::LIMITS_SLEEP_AN_HOUR).map(|attack| {
                attack.arg(how).limits(super::soon).expect(
                    WALL,
                    "engine/tests/it/bounded.rs::sleep_ends_at_the_deadline_whichever_call_requests_it",
                )
            }),
        );
    }
    for version in Wait::VERSIONS {
        let sleep = Wait::new(version).clock(0, WALL_CLOCK, HOUR_NS, false);
        attacks.push(
            Attack::bytes(
                &format!("sleep of an hour with files in reach, {version}"),
                sleep.importing_files().module(),
            )
            .limits(super::soon)
            .expect(
                WALL,
                "engine/tests/it/waits.rs::no_wait_outlives_the_deadline",
            ),
        );
    }
    for (how, name) in [
        ("fill", "large fills without end"),
        ("copy", "large copies without end"),
    ] {
        attacks.extend(Attack::both(name, guests::LIMITS_BULK).map(|attack| {
            attack
                .arg(how)
                .limits(|limits| {
                    super::soon(limits);
                    limits.memory = 512 << 20;
                })
                .expect(
                    WALL,
                    "engine/tests/it/bounded.rs::large_fills_and_copies_are_cut_like_any_other_work",
                )
        }));
    }
    attacks.extend(
        Attack::both("recursion without end", guests::LIMITS_RECURSE_FOREVER).map(|attack| {
            attack.expect(
                Expected::Traps("stack"),
                "engine/tests/it/bounded.rs::endless_recursion_is_a_trap",
            )
        }),
    );
    attacks.extend(Attack::both("abort", guests::LIMITS_ABORT).map(|attack| {
        attack.expect(
            Expected::Traps("unreachable"),
            "engine/tests/it/outcomes.rs::an_abort_is_a_trap",
        )
    }));
    attacks.extend(Attack::both("panic", guests::LIMITS_PANIC).map(|attack| {
        attack.expect(
            Expected::Traps("unreachable"),
            "engine/tests/it/outcomes.rs::a_panic_of_the_guest_is_a_trap_with_its_message_and_frames",
        )
    }));
    for (reason, bytes) in handmade::traps() {
        attacks.push(Attack::bytes(&format!("trap: {reason}"), bytes).expect(
            Expected::Traps(reason),
            "engine/tests/it/outcomes.rs::each_kind_of_trap_has_its_reason",
        ));
    }
    attacks
}
