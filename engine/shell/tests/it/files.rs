//! Files as a script sees them: modes, times, links, devices, the quota.

use crate::harness::{printed, run, status};
use tenterhook_shell::{Job, Quota};

#[test]
fn times_show_which_file_is_newer() {
    assert_eq!(
        printed("touch a; touch b; [ b -nt a ] && echo nt; [ a -ot b ] && echo ot"),
        "nt\not\n"
    );
    assert_eq!(
        printed("touch a; touch b; find . -type f -newer a"),
        "./b\n"
    );
    assert_eq!(
        printed("touch -d '2020-01-02 03:04:05' a; date -u -r a +%s"),
        "1577934245\n"
    );
}

#[test]
fn modes_are_kept_and_decide_what_can_be_run() {
    assert_eq!(
        printed("umask 022; touch a; chmod 751 a; stat -c %a a; cp a b; stat -c %a b"),
        "751\n751\n"
    );
    assert_eq!(status("echo 'echo x' > s; ./s"), 126);
    assert_eq!(
        printed("echo 'echo ran $1' > s; chmod +x s; ./s y"),
        "ran y\n"
    );
}

#[test]
fn links_are_followed_and_removed_as_links() {
    assert_eq!(
        printed("echo 1 > a; ln -s a l; echo 2 >> l; cat a; readlink l; rm l; cat a"),
        "1\n2\na\n1\n2\n"
    );
    assert_ne!(status("ln -s l l; cat l"), 0);
}

#[test]
fn devices_behave() {
    assert_eq!(
        printed("echo x > /dev/null; cat /dev/null; head -c 3 /dev/zero | od -An -tx1"),
        " 00 00 00\n"
    );
    assert_eq!(printed("head -c 100 /dev/urandom | wc -c").trim(), "100");
    assert_eq!(status("echo x > /dev/full"), 1);
    assert_eq!(
        printed("dd if=/dev/zero bs=1M count=3 2>/dev/null | wc -c").trim(),
        "3145728"
    );
}

#[test]
fn the_quota_stops_bytes_and_inodes_with_a_message() {
    let mut job = Job::new(
        "head -c 900 /dev/zero > a; head -c 900 /dev/zero > b; echo $?; rm a; echo x > c; cat c",
    );
    job.quota = Quota {
        bytes: 1000,
        inodes: 10,
    };
    let answer = run(job);
    assert_eq!(answer.text(), "1\nx\n");
    assert!(
        answer.errors().contains("No space left on device"),
        "{}",
        answer.errors()
    );
    let mut job = Job::new("for i in 1 2 3 4 5; do touch $i || break; done; ls | wc -l");
    job.quota = Quota {
        bytes: 1000,
        inodes: 3,
    };
    let answer = run(job);
    assert_eq!(answer.text().trim(), "3");
    assert!(
        answer.errors().contains("No space left on device"),
        "{}",
        answer.errors()
    );
}

#[test]
fn temporary_files_have_unique_names() {
    assert_eq!(
        printed(
            "a=$(mktemp); b=$(mktemp); [ \"$a\" != \"$b\" ] && [ -f \"$a\" ] && stat -c %a \"$a\"; d=$(mktemp -d); stat -c %a \"$d\""
        ),
        "600\n700\n"
    );
}

#[test]
fn a_named_pipe_passes_bytes() {
    assert_eq!(
        printed("mkfifo p; (echo through > p) & cat p; wait"),
        "through\n"
    );
}
