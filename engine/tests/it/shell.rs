//! Scripts: what hooks need works, and attacks on the shell end at a limit while
//! the next script runs normally.

use tenterhook_engine::{Limit, Limits, Outcome};

use crate::harness::{Finished, Run, SUCCESS, stopped};

async fn printed(script: &str) -> String {
    let run = Run::script(script)
        .stdin(r#"{"service":"db","disks":[1,2]}"#)
        .go()
        .await;
    assert_eq!(run.outcome, SUCCESS, "{script}");
    run.text()
}

/// Runs an attack with little fuel, and then an honest script.
async fn attack(script: &str) -> Finished {
    let run = Run::script(script)
        .limits(|limits| {
            *limits = Limits {
                fuel: 3_000_000_000,
                memory: 48 << 20,
                output: 64 << 10,
                ..Limits::default()
            };
        })
        .go()
        .await;
    assert_eq!(printed("echo still here").await, "still here\n");
    run
}

/// Attacks that may end at whichever limit they reach first, or give up.
async fn ends(script: &str) {
    let run = attack(script).await;
    let failed = matches!(&run.outcome, Outcome::Exited { status } if *status != 0);
    assert!(
        failed || matches!(run.outcome, Outcome::Stopped { .. }),
        "{script}: {:?}",
        run.outcome
    );
}

#[tokio::test]
async fn endless_producers_end_with_their_readers() {
    assert_eq!(printed("yes | head -n 3").await, "y\ny\ny\n");
    assert_eq!(
        printed("while :; do echo x; done | head -n 2").await,
        "x\nx\n"
    );
}

#[tokio::test]
async fn jq_reads_the_data_of_the_event() {
    assert_eq!(printed("jq -r .service").await, "db\n");
    assert_eq!(
        printed("cat | jq '.disks | length' | sed 's/^/n=/'").await,
        "n=2\n"
    );
}

#[tokio::test]
async fn here_documents_traps_and_jobs_work() {
    assert_eq!(printed("x=1; cat <<EOF\nx is $x\nEOF").await, "x is 1\n");
    assert_eq!(printed("trap 'echo bye' EXIT; echo hi").await, "hi\nbye\n");
    assert_eq!(printed("(echo in) & wait $!; echo out").await, "in\nout\n");
}

#[tokio::test]
async fn an_endless_loop_is_stopped_by_its_fuel() {
    assert_eq!(
        attack("while :; do :; done").await.outcome,
        stopped(Limit::Fuel)
    );
}

#[tokio::test]
async fn sleep_is_cut_at_the_deadline() {
    let run = Run::script("echo before; sleep 1h; echo after")
        .limits(|limits| limits.wall = std::time::Duration::from_millis(100))
        .go()
        .await;
    assert_eq!(
        (&run.outcome, run.text().as_str()),
        (&stopped(Limit::Wall), "before\n")
    );
}

#[tokio::test]
async fn a_doubling_string_is_stopped_at_the_memory_limit() {
    assert_eq!(
        attack("x=a; while :; do x=$x$x; done").await.outcome,
        stopped(Limit::Memory)
    );
}

#[tokio::test]
async fn a_flood_of_output_is_stopped() {
    assert_eq!(attack("yes").await.outcome, stopped(Limit::Output));
    let run = Run::script("while :; do echo flood >&2; done")
        .limits(|limits| limits.output = 1_000)
        .go()
        .await;
    assert_eq!(run.outcome, stopped(Limit::Output));
}

#[tokio::test]
async fn fork_bombs_are_stopped_by_their_fuel() {
    for bomb in [
        ":(){ :|:& };:",
        "f() { f & f & wait; }; f",
        "while :; do (while :; do :; done) & done",
    ] {
        assert_eq!(attack(bomb).await.outcome, stopped(Limit::Fuel), "{bomb}");
    }
}

#[tokio::test]
async fn recursion_ends() {
    ends("f() { f; }; f").await;
    ends("f() { echo $(f); }; f").await;
    ends("eval 'f() { eval f; }'; f").await;
    ends("echo '. /tmp/again' > /tmp/again; . /tmp/again").await;
}

#[tokio::test]
async fn expansions_that_explode_end() {
    ends("echo {1..9}{0..9}{0..9}{0..9}{0..9}{0..9}{0..9}{0..9} | wc -c; false").await;
    ends("echo {1..2000000000}; false").await;
    ends("a=((((1; echo $((a))").await;
    ends("x=x; echo $((x)); false").await;
    ends("printf '%2000000000s' x > /dev/null; false").await;
    ends("seq 1 1000000000000 > /dev/null; false").await;
}

#[tokio::test]
async fn here_documents_cannot_become_bombs() {
    ends("x=$(printf '%1000s' x); while :; do x=$(cat <<E\n$x$x\nE\n); done").await;
}

#[tokio::test]
async fn deep_nesting_is_an_error_and_not_a_crash() {
    for (open, close) in [
        ("(", ")"),
        ("$(", ")"),
        ("{ ", "; }"),
        ("if true; then ", "; fi"),
        ("[[ (", ") ]]"),
    ] {
        let deep = 4_000;
        let script = format!("{}echo x{}\nfalse", open.repeat(deep), close.repeat(deep));
        ends(&script).await;
    }
    let sums = format!(
        "echo $(({}1{}))\nfalse",
        "(".repeat(20_000),
        ")".repeat(20_000)
    );
    ends(&sums).await;
}

#[tokio::test]
async fn patterns_that_backtrack_for_ever_end() {
    let a = "a".repeat(60);
    ends(&format!("[[ {a}! =~ ^(a+)+$ ]]")).await;
    ends(&format!("echo {a}! | grep -E '^(a|aa)+$'")).await;
    ends(&format!(
        "case {a}! in *a*a*a*a*a*a*a*a*a*a*a*a*b) ;; *) false;; esac"
    ))
    .await;
    ends(&format!("echo {a}! | sed -E 's/^(a+)+$/x/' | grep x")).await;
    ends("echo '[1,[2]]' | jq 'def f: f; f'").await;
    ends("awk 'BEGIN { while (1) x = x \"y\" }'").await;
}

#[tokio::test]
async fn patterns_over_many_files_end() {
    let files =
        "cd /tmp; for i in $(seq 900); do : > $i-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done";
    let glob = "while :; do set -- *a*a*a*a*a*a*a*a*a*a*b; done";
    ends(&format!("{files}; {glob}")).await;
}

#[tokio::test]
async fn devices_without_end_give_a_bounded_part() {
    for device in ["/dev/zero", "/dev/urandom"] {
        let run = attack(&format!("cat {device} | wc -c")).await;
        assert_eq!(run.outcome, SUCCESS);
        let bytes: u64 = run.text().trim().parse().unwrap();
        assert!((1..=1 << 20).contains(&bytes), "{bytes}");
    }
}

#[tokio::test]
async fn decompression_bombs_end() {
    let pack = "head -c 1000000 /dev/zero | gzip > /tmp/1.gz";
    let many = "for i in $(seq 100); do cat /tmp/1.gz >> /tmp/bomb.gz; done";
    ends(&format!("{pack}; {many}; zcat /tmp/bomb.gz > /tmp/out")).await;
    let pack = "cd /tmp; head -c 1000000 /dev/zero > a; tar czf a.tgz a; i=0";
    let unpack = "while mkdir /work/$i && tar xzf a.tgz -C /work/$i; do i=$((i+1)); done";
    ends(&format!("{pack}; {unpack}; false")).await;
}

#[tokio::test]
async fn escape_sequences_are_kept_unchanged() {
    let run = attack(r"printf '\033[2J\033]0;owned\007'").await;
    assert_eq!(
        (&run.outcome, run.text().as_str()),
        (&SUCCESS, "\x1b[2J\x1b]0;owned\x07")
    );
}

#[tokio::test]
async fn a_syntax_error_in_a_script_is_reported() {
    let run = attack("if then fi ((").await;
    assert!(
        matches!(run.outcome, Outcome::Exited { status: 1..=127 }),
        "{:?}",
        run.outcome
    );
    assert!(!run.errors().is_empty());
}
