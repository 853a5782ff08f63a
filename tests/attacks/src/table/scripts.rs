//! Attacks on the shell, which is a guest like any other.

use tenterhook_engine::{Limit, Report};

use crate::attack::{Attack, Expected};

/// Attacks that end at one limit in every case: name, script, limit, test.
const AT_A_LIMIT: [(&str, &str, Limit, &str); 5] = [
    (
        "endless loop",
        "while :; do :; done",
        Limit::Fuel,
        "engine/tests/it/shell.rs::an_endless_loop_is_stopped_by_its_fuel",
    ),
    (
        "fork bomb",
        ":(){ :|:& };:",
        Limit::Fuel,
        "engine/tests/it/shell.rs::fork_bombs_are_stopped_by_their_fuel",
    ),
    (
        "background jobs without end",
        "while :; do (while :; do :; done) & done",
        Limit::Fuel,
        "engine/tests/it/shell.rs::fork_bombs_are_stopped_by_their_fuel",
    ),
    (
        "doubling string",
        "x=a; while :; do x=$x$x; done",
        Limit::Memory,
        "engine/tests/it/shell.rs::a_doubling_string_is_stopped_at_the_memory_limit",
    ),
    (
        "flood of output",
        "yes",
        Limit::Output,
        "engine/tests/it/shell.rs::a_flood_of_output_is_stopped",
    ),
];

/// Attacks that end at whichever limit they reach first, or give up.
const AT_ANY_LIMIT: [(&str, &str, &str); 18] = [
    (
        "sleeping jobs without end",
        "while :; do sleep 100 & done",
        "engine/tests/it/shell.rs::fork_bombs_are_stopped_by_their_fuel",
    ),
    (
        "flood of errors",
        "while :; do echo flood >&2; done",
        "engine/tests/it/shell.rs::a_flood_of_output_is_stopped",
    ),
    (
        "recursion of functions",
        "f() { f; }; f",
        "engine/tests/it/shell.rs::recursion_ends",
    ),
    (
        "recursion of substitutions",
        "f() { echo $(f); }; f",
        "engine/tests/it/shell.rs::recursion_ends",
    ),
    (
        "recursion of `eval`",
        "eval 'f() { eval f; }'; f",
        "engine/tests/it/shell.rs::recursion_ends",
    ),
    (
        "a file that reads itself",
        "echo '. /tmp/again' > /tmp/again; . /tmp/again",
        "engine/tests/it/shell.rs::recursion_ends",
    ),
    (
        "braces that multiply",
        "echo {1..9}{0..9}{0..9}{0..9}{0..9}{0..9}{0..9}{0..9} | wc -c; false",
        "engine/tests/it/shell.rs::expansions_that_explode_end",
    ),
    (
        "a range of two billion",
        "echo {1..2000000000}; false",
        "engine/tests/it/shell.rs::expansions_that_explode_end",
    ),
    (
        "a variable that names itself",
        "x=x; echo $((x)); false",
        "engine/tests/it/shell.rs::expansions_that_explode_end",
    ),
    (
        "a width of two gigabytes",
        "printf '%2000000000s' x > /dev/null; false",
        "engine/tests/it/shell.rs::expansions_that_explode_end",
    ),
    (
        "here-document that doubles",
        "x=$(printf '%1000s' x); while :; do x=$(cat <<E\n$x$x\nE\n); done",
        "engine/tests/it/shell.rs::here_documents_cannot_become_bombs",
    ),
    (
        "pattern of stars over many files",
        "cd /tmp; for i in $(seq 900); do : > $i-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done; \
         while :; do set -- *a*a*a*a*a*a*a*a*a*a*b; done",
        "engine/tests/it/shell.rs::patterns_over_many_files_end",
    ),
    (
        "catastrophic regex in `[[`",
        "[[ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa! =~ ^(a+)+$ ]]",
        "engine/tests/it/shell.rs::patterns_that_backtrack_for_ever_end",
    ),
    (
        "catastrophic regex in `grep`",
        "echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa! | grep -E '^(a|aa)+$'",
        "engine/tests/it/shell.rs::patterns_that_backtrack_for_ever_end",
    ),
    (
        "endless definition in `jq`",
        "echo '[1,[2]]' | jq 'def f: f; f'",
        "engine/tests/it/shell.rs::patterns_that_backtrack_for_ever_end",
    ),
    (
        "growing string in `awk`",
        "awk 'BEGIN { while (1) x = x \"y\" }'",
        "engine/tests/it/shell.rs::patterns_that_backtrack_for_ever_end",
    ),
    (
        "gzip bomb",
        GZIP_BOMB,
        "engine/tests/it/shell.rs::decompression_bombs_end",
    ),
    (
        "tar bomb",
        TAR_BOMB,
        "engine/tests/it/shell.rs::decompression_bombs_end",
    ),
];

/// A hundred megabytes in a file of a hundred kilobytes.
const GZIP_BOMB: &str = "head -c 1000000 /dev/zero | gzip > /tmp/1.gz; \
    for i in $(seq 100); do cat /tmp/1.gz >> /tmp/bomb.gz; done; zcat /tmp/bomb.gz > /tmp/out";

/// A megabyte in a kilobyte, unpacked until there is no room.
const TAR_BOMB: &str = "cd /tmp; head -c 1000000 /dev/zero > a; tar czf a.tgz a; i=0; \
    while mkdir /work/$i && tar xzf a.tgz -C /work/$i; do i=$((i+1)); done; false";

/// Text that a terminal would obey.
const ESCAPES: &str = r"printf '\033[2J\033]0;owned\007'";

fn a_mebibyte_at_most(report: &Report) -> bool {
    let text = String::from_utf8_lossy(&report.stdout);
    text.trim().parse().is_ok_and(|bytes: u64| bytes <= 1 << 20)
}

fn kept_as_it_is(report: &Report) -> bool {
    report.stdout == b"\x1b[2J\x1b]0;owned\x07"
}

pub(super) fn attacks() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for (name, script, limit, test) in AT_A_LIMIT {
        attacks.push(Attack::script(name, script).expect(Expected::Stopped(limit), test));
    }
    attacks.push(
        Attack::script("sleep of an hour", "sleep 1h")
            .limits(|limits| limits.wall = std::time::Duration::from_millis(100))
            .expect(
                Expected::Stopped(Limit::Wall),
                "engine/tests/it/shell.rs::sleep_is_cut_at_the_deadline",
            ),
    );
    for (name, script, test) in AT_ANY_LIMIT {
        attacks.push(Attack::script(name, script).expect(Expected::Ends, test));
    }
    for (open, close) in [("(", ")"), ("$(", ")"), ("{ ", "; }")] {
        let script = format!("{}echo x{}\nfalse", open.repeat(4_000), close.repeat(4_000));
        let name = format!("4,000 times `{}` inside each other", open.trim());
        attacks.push(Attack::script(&name, script).expect(
            Expected::Ends,
            "engine/tests/it/shell.rs::deep_nesting_is_an_error_and_not_a_crash",
        ));
    }
    attacks.push(
        Attack::script("flood from `/dev/zero`", "cat /dev/zero | wc -c").expect(
            Expected::Denied {
                by: "the device gives a bounded part",
                shown: a_mebibyte_at_most,
            },
            "engine/tests/it/shell.rs::devices_without_end_give_a_bounded_part",
        ),
    );
    attacks.push(
        Attack::script("escape sequences in output", ESCAPES).expect(
            Expected::Denied {
                by: "kept as bytes; the command line makes them visible",
                shown: kept_as_it_is,
            },
            "engine/tests/it/shell.rs::escape_sequences_are_kept_unchanged",
        ),
    );
    attacks
}
