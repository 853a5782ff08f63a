//! Attacks on the files of a run.

use tenterhook_engine::Report;

use crate::attack::{Attack, Expected};
use crate::guests;

fn says(report: &Report, word: &str) -> bool {
    String::from_utf8_lossy(&report.stdout).contains(word)
}

fn no_space(report: &Report) -> bool {
    says(report, "Some(51)") && report.usage.files_bytes <= 1 << 20
}

fn too_many_open(report: &Report) -> bool {
    says(report, "Some(33)")
}

pub(super) fn attacks() -> Vec<Attack> {
    let denied = |by, shown| Expected::Denied { by, shown };
    let mut attacks = Vec::new();
    for (name, guest, expected, test) in [
        (
            "a file without end",
            guests::FILES_BIG,
            denied("files limit: no space left", no_space),
            "engine/tests/it/files.rs::files_hold_no_more_bytes_than_their_limit",
        ),
        (
            "a sparse tebibyte, filled block by block",
            guests::FILES_SPARSE,
            denied("files limit: no space left", no_space),
            "engine/tests/it/files.rs::holes_do_not_count_and_blocks_do",
        ),
        (
            "files without end",
            guests::FILES_MANY,
            denied("inodes limit: no space left", |report| {
                says(report, "Some(51)")
            }),
            "engine/tests/it/files.rs::no_more_files_are_created_than_the_limit",
        ),
        (
            "folders in folders without end",
            guests::FILES_DEEP,
            denied("inodes limit: no space left", |report| {
                says(report, "Some(51)")
            }),
            "engine/tests/it/files.rs::folders_count_as_files",
        ),
        (
            "something left for the next run",
            guests::FILES_KEEP,
            denied("a folder of its own for every run", |report| {
                !says(report, "secret")
            }),
            "engine/tests/it/contained.rs::no_run_finds_what_another_left_behind",
        ),
        (
            "cycles, circles of links, and lengths and offsets beyond the last",
            guests::FILES_BEYOND,
            denied("an error for each", |report| {
                says(report, "names without end: Some(51)")
            }),
            "engine/tests/it/files.rs::what_no_file_system_gives_is_an_error_of_its_own",
        ),
    ] {
        attacks.extend(Attack::both(name, guest).map(|attack| attack.expect(expected, test)));
    }
    attacks.extend(
        Attack::both("65,536 names in one folder", guests::FILES_BEYOND).map(|attack| {
            attack
                .arg("names")
                .limits(|limits| {
                    limits.inodes = 65_536;
                    limits.fuel = 200_000_000_000;
                })
                .expect(
                    denied("inodes limit: no space left", |report| {
                        says(report, "65536 listed, then Some(51)")
                    }),
                    "engine/tests/it/files.rs::one_folder_can_have_as_many_names_as_there_are_inodes",
                )
        }),
    );
    let [module, component] = Attack::both("descriptors without end", guests::FILES_DESCRIPTORS);
    attacks.push(module.expect(
        denied("descriptors limit: too many open", too_many_open),
        "engine/tests/it/files.rs::an_open_descriptor_counts_until_it_is_closed",
    ));
    attacks.push(component.expect(
        // WASI 0.2 has no error for a full table: the adapter or the host gives up.
        Expected::DeniedOrTraps {
            by: "descriptors limit: an error for the guest",
            shown: |report| says(report, "open, then Some("),
        },
        "engine/tests/it/files.rs::the_descriptors_of_a_component_are_bounded",
    ));
    attacks
}
