//! Attacks on memory, and on what the host keeps of output.

use tenterhook_engine::Limit;
use tenterhook_tests_artifacts::handmade;

use crate::attack::{Attack, Expected};
use crate::guests;

const MEMORY: Expected = Expected::Stopped(Limit::Memory);

pub(super) fn attacks() -> Vec<Attack> {
    let mut attacks = Vec::new();
    attacks.extend(
        Attack::both("memory bomb", guests::LIMITS_MEMORY_BOMB).map(|attack| {
            attack.expect(
                MEMORY,
                "engine/tests/it/bounded.rs::a_memory_bomb_is_stopped_at_its_limit",
            )
        }),
    );
    attacks.extend(
        Attack::both("a gibibyte at once", guests::LIMITS_MEMORY_REFUSED).map(|attack| {
            let by = "memory limit, told to the guest";
            let shown = |report: &tenterhook_engine::Report| report.stdout == b"refused true\n";
            attack.expect(
                Expected::Denied { by, shown },
                "engine/tests/it/bounded.rs::a_guest_that_is_refused_memory_may_continue",
            )
        }),
    );
    attacks.push(
        Attack::made("125 MiB of memory from the start", || {
            handmade::memory_of(2_000)
        })
        .expect(
            MEMORY,
            "engine/tests/it/bounded.rs::a_module_that_starts_with_more_memory_than_it_may_have_is_stopped",
        ),
    );
    attacks.push(
        Attack::made("a table of 131,000 elements", || {
            handmade::table_of(131_000)
        })
        .limits(|limits| limits.memory = 1 << 20)
        .expect(MEMORY, "engine/tests/it/bounded.rs::tables_count_as_memory"),
    );
    attacks.extend(
        Attack::both("flood of output", guests::LIMITS_OUTPUT_FLOOD).map(|attack| {
            attack.expect(
                Expected::Stopped(Limit::Output),
                "engine/tests/it/bounded.rs::a_flood_of_output_is_stopped",
            )
        }),
    );
    attacks.extend(
        Attack::both("more output than is kept", guests::LIMITS_OUTPUT_BYTES).map(|attack| {
            let by = "output limit, the rest cut and counted";
            let shown = |report: &tenterhook_engine::Report| {
                report.stdout.len() + report.stderr.len() == 64 << 10
                    && report.dropped_bytes == 36 << 10
            };
            attack.arg(100 << 10).expect(
                Expected::Denied { by, shown },
                "engine/tests/it/bounded.rs::output_beyond_the_limit_is_cut_and_counted",
            )
        }),
    );
    attacks
}
