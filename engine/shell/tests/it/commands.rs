//! Our own commands through the shell; their parts are tested beside them.

use crate::harness::{printed, run, status};
use tenterhook_shell::Job;

#[test]
fn seq_counts_up_to_its_limit() {
    assert_eq!(printed("seq 1 300000 | tail -n 1"), "300000\n");
    assert_eq!(
        printed("seq -s, -w 8 10; seq 0.1 0.1 0.3; seq 5 -2 1; seq -f 'f%03g' 1 2"),
        "08,09,10\n0.1\n0.2\n0.3\n5\n3\n1\nf001\nf002\n"
    );
    assert_eq!(printed("seq 3 1; seq -2 -1"), "-2\n-1\n");
    assert_eq!(status("seq x"), 1);
}

#[test]
fn date_knows_relative_items_and_formats() {
    assert_eq!(
        printed("date -u -d '2024-02-28 +2 days' +%F"),
        "2024-03-01\n"
    );
    assert_eq!(
        printed("date -u -d @0; date -u -d '2024-01-31 next month' +%F"),
        "Thu Jan  1 00:00:00 UTC 1970\n2024-03-02\n"
    );
    assert_eq!(
        printed("TZ=EST5 date -d @0 '+%H %Z'; date -u -Iseconds -d @0"),
        "19 EST\n1970-01-01T00:00:00+00:00\n"
    );
    assert_eq!(status("date -d nonsense"), 1);
    assert_eq!(status("date -s now"), 1);
}

#[test]
fn getopt_sorts_options_for_eval() {
    let script = r#"O=$(getopt -o vf: --long verbose,file: -- -v --file "a b" rest) && eval set -- "$O"
for w; do echo "[$w]"; done"#;
    assert_eq!(printed(script), "[-v]\n[--file]\n[a b]\n[--]\n[rest]\n");
    assert_eq!(status("getopt -o a -- -b"), 1);
    assert_eq!(status("getopt -T"), 4);
}

#[test]
fn zcat_unpacks_files_and_input() {
    assert_eq!(
        printed("echo x | gzip > f.gz; zcat f.gz; zcat f; zcat < f.gz; cat f.gz f.gz | zcat"),
        "x\nx\nx\nx\nx\n"
    );
    assert_eq!(status("echo x | zcat"), 1);
    assert_eq!(status("echo x | gzip | head -c 12 | zcat"), 1);
}

#[test]
fn shells_take_scripts_from_options_files_and_input() {
    assert_eq!(
        printed("echo 'echo $1-$2' | sh -s a b; sh -c 'echo $0$1' x y; echo 'echo $1' > s; sh s z"),
        "a-b\nxy\nz\n"
    );
    assert_eq!(printed("bash -s p <<'E'\necho $1\nE"), "p\n");
    assert_eq!(status("echo 'exit $1' | sh -s 7"), 7);
}

#[test]
fn ls_sorts_and_shows_everything() {
    assert_eq!(
        printed("touch c; echo 1 > b; echo 123 > a; ls -S; ls -aS | tail -n 3; ls -r"),
        "a\nb\nc\na\nb\nc\nc\nb\na\n"
    );
    assert_eq!(printed("ls -a"), ".\n..\n");
    assert_eq!(
        printed("umask 022; mkdir d; echo 12 > d/f; ls -l d | tail -n 1 | cut -c1-24"),
        "-rw-r--r-- 1 root root 3\n"
    );
    assert_eq!(status("ls nope"), 2);
}

#[test]
fn diff_compares_files_and_folders() {
    let script = "mkdir d e; echo 1 > d/x; echo 2 > e/x; echo 3 > d/y; diff -r d e";
    let answer = run(Job::new(script));
    assert_eq!(
        answer.text(),
        "diff -r d/x e/x\n1c1\n< 1\n---\n> 2\nOnly in d: y\n"
    );
    assert_eq!(answer.ended.status, 1);
    assert_eq!(status("echo 1 > a; cp a b; diff a b"), 0);
    assert_eq!(status("diff a b"), 2);
    let unified =
        "printf 'a\\nb\\n' > 1; printf 'a\\nc\\n' > 2; diff -u --label o --label n 1 2; true";
    assert_eq!(
        printed(unified),
        "--- o\n+++ n\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
    );
}

#[test]
fn following_a_file_is_refused_with_a_message() {
    let answer = run(Job::new("tail -f /etc/passwd"));
    assert_eq!(answer.ended.status, 1);
    assert!(answer.errors().contains("tail"), "{}", answer.errors());
}

#[test]
fn there_is_no_network() {
    for command in ["curl http://127.0.0.1/", "wget http://127.0.0.1/"] {
        let answer = run(Job::new(command));
        assert_ne!(answer.ended.status, 0);
        assert!(
            answer.errors().contains("no network"),
            "{}",
            answer.errors()
        );
    }
    assert_ne!(status("exec 3<>/dev/tcp/127.0.0.1/80"), 0);
}
