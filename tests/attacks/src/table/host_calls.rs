//! Attacks through calls into the host.

use tenterhook_engine::{Limit, Limits, Report};

use crate::attack::{Attack, Expected};
use crate::guests;

/// Calls that only preview 1 has in this form; the others are made by both.
const OF_MODULES: [&str; 3] = ["yield", "bad-write", "bad-poll"];

/// Calls that both make.
const OF_BOTH: [&str; 9] = [
    "clock",
    "empty-write",
    "poll",
    "read-dir",
    "large-dir",
    "stat",
    "read-file",
    "write-file",
    "bad-open",
];

/// Calls that both make until the deadline comes.
const TO_THE_END: [&str; 4] = ["empty-write", "poll", "read-file", "read-dir"];

const FUEL: Expected = Expected::Stopped(Limit::Fuel);

/// Fuel for a fraction of a second.
fn little_fuel(limits: &mut Limits) {
    limits.fuel = 200_000_000;
}

/// The preview 1 error for an argument that makes no sense.
fn invalid(report: &Report) -> bool {
    report.stdout == b"64 0\n65 28\n100000 28\nlying 28\n"
}

fn told_of_the_address(report: &Report) -> bool {
    report.stdout.starts_with(b"answered ") && report.stdout != b"answered 0\n"
}

pub(super) fn attacks() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for call in OF_BOTH {
        let name = format!("the call `{call}` without end");
        let [module, component] =
            Attack::both(&name, guests::HOST_CALLS_LOOP).map(|attack| attack.limits(little_fuel));
        attacks.push(
            module
                .arg(call)
                .expect(FUEL, "engine/tests/it/host_calls.rs::no_host_call_is_free"),
        );
        attacks.push(component.arg(call).expect(
            FUEL,
            "engine/tests/it/host_calls.rs::no_host_call_of_a_component_is_free",
        ));
    }
    for call in OF_MODULES {
        let name = format!("the call `{call}` without end");
        attacks.push(
            Attack::guest(&name, guests::HOST_CALLS_LOOP)
                .limits(little_fuel)
                .arg(call)
                .expect(FUEL, "engine/tests/it/host_calls.rs::no_host_call_is_free"),
        );
    }
    for call in TO_THE_END {
        let name = format!("the call `{call}`, fuel without end");
        attacks.extend(Attack::both(&name, guests::HOST_CALLS_LOOP).map(|attack| {
            attack.arg(call).limits(super::soon).expect(
                Expected::Stopped(Limit::Wall),
                "engine/tests/it/host_calls.rs::host_calls_end_at_the_deadline",
            )
        }));
    }
    attacks.push(
        Attack::guest("a gibibyte of random bytes", guests::HOST_CALLS_RANDOM).expect(
            FUEL,
            "engine/tests/it/host_calls.rs::every_random_byte_is_charged",
        ),
    );
    let by = "64 subscriptions a call: invalid argument";
    attacks.push(
        Attack::guest("100,000 things to wait for", guests::HOST_CALLS_POLL_MANY).expect(
            Expected::Denied { by, shown: invalid },
            "engine/tests/it/host_calls.rs::one_call_waits_for_64_things_at_most",
        ),
    );
    attacks.extend(bad_addresses());
    attacks
}

fn bad_addresses() -> Vec<Attack> {
    let calls = [
        "clock",
        "write",
        "many-pieces",
        "poll",
        "random",
        "open",
        "open-long",
    ];
    let attack = |call: &str| {
        let name = format!("an address outside its memory for `{call}`");
        Attack::guest(&name, guests::HOST_CALLS_BAD_POINTERS)
            .arg(call)
            .arg(u32::MAX - 7)
            .expect(
                Expected::DeniedOrTraps {
                    by: "an error for the guest",
                    shown: told_of_the_address,
                },
                "engine/tests/it/host_calls.rs::bad_addresses_affect_only_the_guest",
            )
    };
    calls.into_iter().map(attack).collect()
}
