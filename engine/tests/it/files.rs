//! Files: a run has its own, within its quota to the byte and inode, and they are removed
//! afterwards.

use tenterhook_engine::Limits;

use crate::guests;
use crate::harness::{Run, SUCCESS, exited};

/// Returns the first number in a text.
fn number(text: &str) -> u64 {
    let digits = text
        .split(|c: char| !c.is_ascii_digit())
        .find(|part| !part.is_empty());
    digits.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_guest_works_with_files_in_both_its_folders() {
    for run in Run::as_both(guests::FRIENDLY_FILES) {
        let run = run.go().await;
        assert_eq!(
            (&run.outcome, run.text().as_str()),
            (&SUCCESS, "/work\n/tmp\n/work\n")
        );
        assert!(run.usage.files_bytes >= 2 * 4096);
    }
}

#[tokio::test]
async fn files_are_those_of_unix_in_every_repetition() {
    const FOUND: &str = "\
        an open file outlives its name: ello\n\
        two names: one and more\n\
        replaced: one and more\n\
        moved: deep\n\
        not empty: Err(Some(55))\n\
        in itself: InvalidInput\n\
        there: AlreadyExists\n\
        no folder: NotADirectory\n\
        a folder: IsADirectory\n\
        above: PermissionDenied\n\
        sparse: 1099511627776\n\
        in order: one old z/ sparse\n\
        devices: [0, 0, 0, 0] [] StorageFull\n";
    for _ in 0..2 {
        for run in Run::as_both(guests::FRIENDLY_POSIX) {
            let run = run.go().await;
            assert_eq!((&run.outcome, run.text().as_str()), (&SUCCESS, FOUND));
        }
    }
}

#[tokio::test]
async fn what_no_file_system_gives_is_an_error_of_its_own() {
    const ERRORS: &str = "\
        a folder in itself: Some(28)\n\
        a second name of a folder: Some(63)\n\
        two links in a circle: Some(32)\n\
        a link to itself: Some(32)\n\
        a long name: Some(37)\n\
        a long path: Some(37)\n\
        the last offset: done\n\
        a byte behind it: Some(22)\n\
        an offset behind it: Some(28)\n\
        a size up to it: done\n\
        a file in a folder that is gone: Some(44)\n\
        names without end: Some(51)\n";
    for run in Run::as_both(guests::FILES_BEYOND) {
        let run = run.go().await;
        assert_eq!((&run.outcome, run.text().as_str()), (&SUCCESS, ERRORS));
    }
}

#[tokio::test]
async fn one_folder_can_have_as_many_names_as_there_are_inodes() {
    for run in Run::as_both(guests::FILES_BEYOND) {
        let run = run.arg("names").limits(|limits| {
            limits.inodes = 65_536;
            limits.fuel = 200_000_000_000;
        });
        let run = run.go().await;
        let filled = "65536 names, 65536 listed, then Some(51)\n";
        assert_eq!((&run.outcome, run.text().as_str()), (&SUCCESS, filled));
    }
}

#[tokio::test]
async fn a_file_is_read_whole_in_pieces_of_any_size() {
    for run in Run::as_both(guests::FRIENDLY_LARGE_FILE) {
        let run = run.limits(|limits| limits.files = 16 << 20).go().await;
        let expected = "9437184 bytes, the same: true\n".to_owned();
        assert_eq!((&run.outcome, run.text()), (&SUCCESS, expected));
    }
}

#[tokio::test]
async fn files_hold_no_more_bytes_than_their_limit() {
    for run in Run::as_both(guests::FILES_BIG) {
        let run = run
            .event("{}")
            .limits(|limits| limits.files = 1 << 20)
            .go()
            .await;
        assert_eq!(run.outcome, SUCCESS);
        let written = number(&run.text());
        assert!((900_000..=1 << 20).contains(&written), "{written}");
        assert!((900_000..=1 << 20).contains(&run.usage.files_bytes));
        assert!(
            run.text().contains("Some(51)"),
            "no space left: {}",
            run.text()
        );
    }
}

#[tokio::test]
async fn holes_do_not_count_and_blocks_do() {
    for run in Run::as_both(guests::FILES_SPARSE) {
        let run = run.limits(|limits| limits.files = 1 << 20).go().await;
        assert_eq!(run.outcome, SUCCESS);
        let blocks = number(run.text().lines().last().unwrap());
        assert!((200..=256).contains(&blocks), "{blocks}");
        assert!(run.usage.files_bytes <= 1 << 20);
    }
}

#[tokio::test]
async fn no_more_files_are_created_than_the_limit() {
    for run in Run::as_both(guests::FILES_MANY) {
        let run = run
            .event("{}")
            .limits(|limits| limits.inodes = 20)
            .go()
            .await;
        assert_eq!((&run.outcome, number(&run.text())), (&SUCCESS, 20));
    }
}

#[tokio::test]
async fn folders_count_as_files() {
    for run in Run::as_both(guests::FILES_DEEP) {
        let run = run
            .event("{}")
            .limits(|limits| limits.inodes = 20)
            .go()
            .await;
        assert_eq!((&run.outcome, number(&run.text())), (&SUCCESS, 20));
        assert!(!run.text().contains("None"), "{}", run.text());
    }
}

#[tokio::test]
async fn an_open_descriptor_counts_until_it_is_closed() {
    const TOO_MANY_OPEN: u16 = 33;
    let run = Run::guest(guests::FILES_DESCRIPTORS)
        .limits(|limits| limits.descriptors = 10)
        .go()
        .await;
    let expected = format!("10 open, then Some({TOO_MANY_OPEN})\n").repeat(2);
    assert_eq!((&run.outcome, run.text()), (&SUCCESS, expected));
}

#[tokio::test]
async fn a_descriptor_that_replaces_another_counts_once() {
    for run in Run::as_both(guests::FRIENDLY_RENUMBER) {
        let run = run.limits(|limits| limits.descriptors = 10).go().await;
        let expected = "1000 times\n".to_owned();
        assert_eq!((&run.outcome, run.text()), (&SUCCESS, expected));
    }
}

#[tokio::test]
async fn a_file_in_the_place_of_a_standard_stream_is_still_a_file() {
    let run = Run::guest(guests::FRIENDLY_RENUMBER)
        .arg("stdout")
        .limits(|limits| limits.files = 1 << 20)
        .go()
        .await;
    assert_eq!((&run.outcome, run.text()), (&SUCCESS, String::new()));
    let written = number(&run.errors());
    assert!((900_000..=1 << 20).contains(&written), "{written}");
}

#[tokio::test]
async fn a_listing_has_every_entry_once_and_costs_what_is_there() {
    for run in [Run::guest, Run::component_of] {
        let run = || {
            run(guests::FRIENDLY_LISTING).arg(900).limits(|limits| {
                limits.inodes = 1_000;
                limits.files = 8 << 20;
                limits.fuel = 20_000_000_000;
            })
        };
        let listed = run().go().await;
        assert_eq!((&listed.outcome, &*listed.text()), (&SUCCESS, "900\n"));
        // What was removed costs nothing any more.
        let removed = run()
            .arg("remove")
            .limits(|limits| limits.fuel = 120_000_000)
            .go()
            .await;
        assert_eq!((&removed.outcome, &*removed.text()), (&SUCCESS, "0\n"));
    }
}

#[tokio::test]
async fn the_descriptors_of_a_component_are_bounded() {
    // WASI 0.2 has no error for too many open files; the closest is the one for quotas.
    const OVER_QUOTA: u16 = 19;
    let run = Run::component_of(guests::FILES_DESCRIPTORS)
        .limits(|limits| limits.descriptors = 10)
        .go()
        .await;
    let expected = format!("10 open, then Some({OVER_QUOTA})\n").repeat(2);
    assert_eq!((&run.outcome, run.text()), (&SUCCESS, expected));
}

#[tokio::test]
async fn the_files_of_a_script_are_bounded_too() {
    let fill =
        "while :; do echo 0123456789012345678901234567890123456789 >> /work/big || exit 3; done";
    let run = Run::script(fill)
        .limits(|limits| {
            *limits = Limits {
                files: 16 << 10,
                inodes: 32,
                ..Limits::default()
            };
        })
        .go()
        .await;
    assert_eq!(run.outcome, exited(3));
    let many = "i=0; while : > /tmp/$i; do i=$((i+1)); done 2> /dev/null; echo $i";
    let run = Run::script(many)
        .limits(|limits| limits.inodes = 20)
        .go()
        .await;
    assert!(number(&run.text()) <= 20, "{}", run.text());
}
