//! A script as a file that the shell runs: its first line, its name, what it calls.

use crate::harness::{Answer, printed, run, status};
use tenterhook_shell::Job;

fn ended(script: &str) -> (String, u8) {
    let answer = run(Job::new(script));
    (answer.text(), answer.ended.status)
}

fn named(name: &str, script: &str) -> Answer {
    let mut job = Job::new(script);
    job.name = name.into();
    run(job)
}

#[test]
fn options_of_the_first_line_apply_to_the_shell() {
    for line in [
        "#!/bin/bash -e",
        "#!/bin/sh -eu",
        "#!/bin/dash -o errexit",
        "#!/usr/bin/env -S bash -e",
        "#!/usr/bin/env bash -e",
        "#!/usr/bin/with-contenv bash -e",
        "#!/usr/bin/dumb-init /bin/sh -e",
    ] {
        let script = format!("{line}\necho on\nfalse\necho off\n");
        assert_eq!(ended(&script), ("on\n".into(), 1), "{line}");
    }
    assert_eq!(ended("#!/bin/sh\nfalse\necho on"), ("on\n".into(), 0));
    assert_eq!(ended("#!/bin/sh -n\necho on\n"), (String::new(), 0));
    let unset = run(Job::new("#!/bin/sh -u\necho \"$UNSET_NAME\"\necho on\n"));
    assert_eq!(unset.text(), "");
    assert_ne!(unset.ended.status, 0);
    assert_eq!(status("#!/bin/bash -q\necho on\n"), 2);
}

#[test]
fn variables_of_the_first_line_are_exported() {
    let script = "#!/usr/bin/env -S A=b LC_ALL=C sh -e\nsh -c 'echo $A $LC_ALL'";
    assert_eq!(printed(script), "b C\n");
}

#[test]
fn the_name_of_a_script_is_the_path_of_its_file() {
    let answer = named(
        "backup.sh",
        "echo \"$0\"; dirname \"$0\"; readlink -f \"$0\"",
    );
    assert_eq!(
        answer.text(),
        "/hooks/backup.sh\n/hooks\n/hooks/backup.sh\n"
    );
    for name in ["", "..", "a/", &"x".repeat(300)] {
        assert_eq!(named(name, "cat \"$0\"").text(), "cat \"$0\"", "{name}");
    }
    assert_eq!(
        printed("#!/bin/sh\n# usage: x\n# usage: y\ncd /tmp; grep -c '^# usage' \"$0\""),
        "2\n"
    );
    let again = "[ -n \"$again\" ] && { echo again; return; }; again=1; . \"$0\"; echo end";
    assert_eq!(printed(again), "again\nend\n");
    let called = "[ $# = 0 ] && exec \"$0\" child; echo \"$1\"";
    assert_eq!(printed(called), "child\n");
}

#[test]
fn a_script_knows_that_it_is_run_and_not_sourced() {
    let script = "f() { :; }; f
main() { echo \"main ${BASH_SOURCE[0]} ${FUNCNAME[0]} $1\"; }
[ \"$BASH_SOURCE\" = \"$0\" ] && main x
[[ ${BASH_SOURCE[0]} == \"$0\" ]] && main y
(return 0 2>/dev/null) && echo sourced || echo run";
    assert_eq!(
        printed(script),
        "main /hooks/sh main x\nmain /hooks/sh main y\nrun\n"
    );
}

#[test]
fn ifs_is_set_in_a_script_and_in_what_it_calls() {
    let script = "set -u; printf '%q' \"$IFS\"; old=$IFS; IFS=,; set -- a,b; echo $*; IFS=$old";
    assert_eq!(printed(script), "$' \\t\\n'a b\n");
    let script =
        "printf '#!/bin/bash\\nset -u\\nprintf %%q \"$IFS\"\\n' > c; chmod +x c; IFS=,; ./c";
    assert_eq!(printed(script), "$' \\t\\n'");
}

/// Makes `c`, which stops at its first failure.
const CHILD: &str = "printf '#!/bin/sh -e\\necho $LINENO on $1\\nfalse\\necho off\\n' > c
chmod +x c; cp c keep\n";

#[test]
fn options_of_a_called_file_apply_only_to_its_shell() {
    for call in [
        "./c a",
        "/work/c a",
        "PATH=$PWD; c a",
        "ln -s c l; ./l a",
        "chmod 700 ./c; ./c a",
        "ls -l c > /dev/null; ./c a",
        "c=$(realpath c); $c a",
        "$(readlink -f c) a",
        "cp c e; ./e a",
        "env ./c a",
        "echo a | xargs ./c",
        "exec ./c a",
        "grep -q nothing keep; ./c a",
        "[ -x ./c ] && ./c a",
        "[[ -x ./c ]] && ./c a",
        "cd /; cd /work; [[ -x ./c ]] && ./c a",
        "[ -x c ] && [ -f c ] && ./c a",
        "mkdir d; mv c d; for f in d/*; do [[ -x $f ]] && $f a; done",
        "mkdir d; mv c d; for f in d/*; do [ -x $f ] && $f a; done",
        "cat c > /dev/null; ./c a",
        "grep -q on c && ./c a",
    ] {
        let (text, status) = ended(&format!("{CHILD}{call}"));
        assert_eq!(text, "2 on a\n", "{call}");
        assert_ne!(status, 0, "{call}");
    }
    // As in bash: a shell that is called with a file has the options of the call.
    assert_eq!(ended(&format!("{CHILD}sh c a")).0, "2 on a\noff\n");
}

#[test]
fn reading_an_executable_file_returns_its_own_bytes() {
    for read in [
        "grep -c IFS c",
        "grep -c IFS ./c | cat",
        "cat c | grep -c IFS",
        "[ -x c ] && grep -c IFS < c",
        "[[ -x c ]] && grep -c IFS < c",
        "grep -c IFS < c",
        "x=$(< c); echo \"$x\" | grep -c IFS",
        "n=0; while read -r l; do case $l in *IFS*) n=1;; esac; done < c; echo $n",
        "tar cf - c | grep -c IFS",
        "mkdir d; mv c d; tar cf - d | cat | grep -c IFS",
        "gzip -c c | gunzip | grep -c IFS",
        "awk '/IFS/ { n++ } END { print n + 0 }' c",
        "head -n 9 c | grep -c IFS",
        "cp c e; cat e | grep -c IFS",
    ] {
        let answer = run(Job::new(format!("{CHILD}{read}")));
        assert_eq!(answer.text(), "0\n", "{read}: {}", answer.errors());
    }
}

#[test]
fn bytes_that_are_not_utf8_are_allowed_in_a_comment() {
    let script = b"#!/bin/sh\n# author: Ren\xe9\necho fine # \xfc\n".to_vec();
    assert_eq!(run(Job::new(script)).text(), "fine\n");
}

#[test]
fn the_directories_that_hooks_expect_exist() {
    assert_eq!(
        printed(
            "echo $$ > /run/hook.pid && : > /var/log/hook.log && : > /var/lib/state
ls -d /etc /home /lib /run /sbin /sys /usr/sbin /var/lib /var/log | tr '\\n' ' '
ls /home /lib /sbin /sys /usr/sbin | grep -v : | tr -d '\\n'; ls /var/run"
        ),
        "/etc /home /lib /run /sbin /sys /usr/sbin /var/lib /var/log hook.pid\n"
    );
}

#[test]
fn commands_before_a_syntax_error_are_run() {
    let answer = run(Job::new("echo before\nif then fi\n"));
    assert_eq!(
        (answer.text().as_str(), answer.ended.status),
        ("before\n", 2)
    );
    let errors = answer.errors();
    assert!(errors.contains("/hooks/sh: line 2: "), "{errors}");
}

#[test]
fn a_token_that_the_parser_does_not_get_past_is_a_syntax_error() {
    let message = |script: &str| {
        let answer = run(Job::new(script));
        assert_eq!(answer.ended.status, 2, "{script}");
        (answer.text(), answer.errors())
    };
    let (text, errors) = message("case a in\n  a) echo a\n  b) echo b ;;\nesac");
    assert_eq!(text, "");
    assert_eq!(
        errors,
        "/hooks/sh: line 3: syntax error near unexpected token `)'\n/hooks/sh: line 3: `  b) echo b ;;'\n"
    );
    let (text, errors) = message("#!/bin/sh\necho before; echo too >&2\n{ fi; }\necho after");
    assert_eq!(text, "before\n");
    assert_eq!(
        errors,
        "too\n/hooks/sh: line 3: syntax error near unexpected token `fi'\n/hooks/sh: line 3: `{ fi; }'\n"
    );
    for script in [
        "eval '{ fi; }'",
        "sh -c '{ fi; }'",
        "echo '{ fi; }' > f; sh f",
        "echo '{ fi; }' > f; chmod +x f; ./f",
        "echo '{ fi; }' | sh",
    ] {
        let (_, errors) = message(script);
        assert!(
            errors.contains("parser fuel exhausted"),
            "{script}: {errors}"
        );
    }
    assert_eq!(printed("eval '{ fi; }' 2>/dev/null || echo on"), "on\n");
    assert_eq!(
        printed("echo '{ fi; }' > f; . ./f 2>/dev/null || echo on"),
        "on\n"
    );
}

#[test]
fn a_large_text_is_parsed_by_whatever_runs_it() {
    let script = "for i in $(seq 60000); do echo 'a=1;b=2'; done > f
a=0; . ./f; echo $a; sh f; echo $?; eval \"$(cat f)\"; echo $b";
    assert_eq!(printed(script), "1\n0\n2\n");
}

#[test]
fn scripts_that_call_themselves_nest_as_deep_as_shells_do() {
    for (call, name) in [("sh \"$0\"", "sh"), ("\"$0\"", "/hooks/deep")] {
        for first in ["", "#!/bin/bash\n"] {
            let script = format!("{first}echo $SHLVL; {call}; echo \"back $?\"");
            let answer = named("deep", &script);
            assert_eq!(
                answer.text(),
                format!("1\n2\n3\n4\n5\n6\n7\n8\nback 2\n{}", "back 0\n".repeat(7)),
                "{script}"
            );
            let message = format!("{name}: maximum nesting depth exceeded\n");
            assert_eq!(answer.errors(), message, "{script}");
        }
    }
    let restarted = run(Job::new("echo $SHLVL; exec \"$0\""));
    assert_eq!(restarted.text(), "1\n2\n3\n4\n5\n6\n7\n8\n");
    assert_eq!(restarted.ended.status, 2);
    let one_by_one = "printf 'echo $SHLVL\\n' > c; chmod +x c
for i in 1 2 3 4 5 6 7 8 9; do ./c; done | uniq";
    assert_eq!(printed(one_by_one), "2\n");
}

#[test]
fn a_script_can_be_checked_without_being_run() {
    let checked = |script: &str| {
        let mut job = Job::new("tenterhook-check");
        job.stdin = script.into();
        let answer = run(job);
        (answer.text(), answer.ended.status)
    };
    let all = "f() { jq . | sed s/a/b/; }; f; [[ -e x ]] && exit; . ./x; time sh -c x; ls; getopt";
    assert_eq!(checked(all), (String::new(), 0));
    assert_eq!(
        checked("echo a; systemctl x"),
        (
            "warning\t1\t9\tthe sandbox has no command `systemctl`\n".into(),
            0
        )
    );
    let (text, status) = checked("echo a\nif then fi");
    assert!(text.starts_with("error\t2\t"), "{text}");
    assert_eq!(status, 1);
}
