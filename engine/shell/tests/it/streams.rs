//! Input, output, pipelines, jobs and traps.

use crate::harness::{printed, run, status};
use tenterhook_shell::Job;

fn with_stdin(script: &str, stdin: &[u8]) -> Vec<u8> {
    let mut job = Job::new(script);
    job.stdin = stdin.to_vec();
    run(job).stdout
}

#[test]
fn endless_producers_end_with_their_reader() {
    assert_eq!(printed("yes | head -n 3"), "y\ny\ny\n");
    assert_eq!(printed("yes | head -n 20000 | wc -l").trim(), "20000");
    assert_eq!(printed("while :; do echo x; done | head -n 2"), "x\nx\n");
    assert_eq!(printed("seq 1 1000000000 | head -n 2"), "1\n2\n");
}

#[test]
fn standard_input_reaches_cat_read_and_jq() {
    assert_eq!(with_stdin("cat", b"a\xff\0b"), b"a\xff\0b");
    assert_eq!(
        with_stdin("read -r x; echo \"[$x]\"; cat", b"one\ntwo\n"),
        b"[one]\ntwo\n"
    );
    assert_eq!(
        with_stdin("jq -r .service", br#"{"service":"web"}"#),
        b"web\n"
    );
    assert_eq!(
        with_stdin("while read -r l; do echo \"<$l>\"; done", b"1\n2\n"),
        b"<1>\n<2>\n"
    );
    assert_eq!(
        with_stdin("jq -r '.a[] | select(. > 1)'", br#"{"a":[1,2,3]}"#),
        b"2\n3\n"
    );
}

#[test]
fn bytes_pass_unchanged() {
    assert_eq!(
        run(Job::new("printf '\\000\\377\\001'")).stdout,
        [0, 255, 1]
    );
    assert_eq!(
        printed("printf '\\000\\377' > f; wc -c < f; od -An -tx1 f").trim(),
        "2\n 00 ff"
    );
}

#[test]
fn here_documents_expand_unless_quoted() {
    assert_eq!(
        printed("x=1; cat <<E\n$x $((x+1))\nE\ncat <<'E'\n$x\nE\ncat <<-E\n\tt\n\tE\n"),
        "1 2\n$x\nt\n"
    );
}

#[test]
fn exit_traps_run_and_keep_the_status() {
    let answer = run(Job::new("trap 'echo bye $?' EXIT; false; exit 4"));
    assert_eq!(
        (answer.text().as_str(), answer.ended.status),
        ("bye 4\n", 4)
    );
    assert_eq!(status("set -e; trap 'exit 9' EXIT; false"), 9);
}

#[test]
fn background_jobs_are_waited_for() {
    assert_eq!(
        printed("(sleep 0.02; echo job) & echo main; wait $!; echo $?"),
        "main\njob\n0\n"
    );
    assert_eq!(printed("sh -c 'exit 5' & wait $!; echo $?"), "5\n");
    assert_eq!(printed("sleep 60 & kill $!; wait $!; echo $?"), "143\n");
}

#[test]
fn standard_error_is_a_stream_of_its_own() {
    let answer = run(Job::new("echo out; echo err >&2; echo both 2>&1 >&2"));
    assert_eq!(
        (answer.text().as_str(), answer.errors().as_str()),
        ("out\n", "err\nboth\n")
    );
}

#[test]
fn a_time_limit_ends_a_command() {
    assert_eq!(status("timeout 0.05 sleep 60"), 124);
    assert_eq!(status("timeout 0.05 sh -c 'while :; do :; done'"), 124);
}
