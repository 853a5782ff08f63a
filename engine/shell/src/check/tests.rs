//! Reports about small scripts, with their places.

use super::check;

fn reports(script: &str) -> Vec<String> {
    let exists = |name: &str| ["echo", "cat", "command", "env", "exec"].contains(&name);
    let reports = check(script, exists);
    reports.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn reported(script: &str, expected: &[&str]) {
    let reports = reports(script);
    assert_eq!(reports.len(), expected.len(), "{script}: {reports:?}");
    for (report, expected) in reports.iter().zip(expected) {
        let report = report.replace('\t', ":");
        assert!(report.starts_with(expected), "{script}: {report}");
    }
}

#[test]
fn a_script_that_cannot_be_parsed_is_reported_with_its_place() {
    reported("echo a\nif true; then\n  echo b\n", &["error:"]);
    reported("echo a\necho b )\n", &["error:2:"]);
    reported("#!/bin/sh\necho a\n\nx=$(if then)\n", &["error:4:"]);
    reported("if then fi\n", &["error:1:"]);
    reported("echo\n\n  [[ a\n", &["error:3:3:"]);
    reported("echo\ncat <(echo\n", &["error:2:1:"]);
    reported("systemctl x\nif then fi\n", &["warning:1:1:", "error:2:"]);
}

#[test]
fn a_command_that_the_sandbox_does_not_have_is_reported_where_it_is_called() {
    reported(
        "echo a\nA=b  systemctl restart x\necho ü | qm list\n",
        &[
            "warning:2:6:the sandbox has no command `systemctl`",
            "warning:3:10:the sandbox has no command `qm`",
        ],
    );
    reported("f() {\n  echo \"$(qm list)\" `qm`\n}\n", &["warning:2:11:"]);
    reported("if ! qm; then pct; fi", &["warning:1:6:", "warning:1:15:"]);
    reported("for i in $(qm); do pct; done", &["warning", "warning"]);
    reported(
        "env A=b qm; exec qm\nexec qm",
        &["warning:1:9:", "warning:2:6:"],
    );
    reported(
        "/usr/sbin/qm; /bin/cat; /usr/bin/qm",
        &["warning", "warning"],
    );
    reported(
        "curl x",
        &["warning:1:1:`curl` fails: the sandbox has no network"],
    );
}

#[test]
fn commands_that_the_script_defines_tests_for_or_computes_are_not_reported() {
    for script in [
        "qm() { :; }; qm",
        "alias qm=echo; qm",
        "command -v qm >/dev/null && qm list",
        "if type qm; then qm; fi",
        "$qm list; \"$(cat)\"; ./qm; /opt/qm; A=b; [[ a = b ]]",
        "echo qm; cat <<E\nqm\nE\n",
    ] {
        let known = |name: &str| !["qm"].contains(&name);
        assert_eq!(check(script, known), [], "{script}");
    }
}

#[test]
fn a_token_that_the_parser_does_not_get_past_is_reported_with_its_place() {
    for (script, place) in [
        (
            "case \"$1\" in\n  start) echo\n  stop) cat ;;\nesac",
            "3:7:)",
        ),
        ("echo\n{ ) }", "2:3:)"),
        ("f() { ) }", "1:7:)"),
        ("case x in a) } ;; esac", "1:14:}"),
        ("case x in a) fi ;; esac", "1:14:fi"),
        ("{ echo; done; }", "1:9:done"),
        ("{ done_x; x=({a); }; { echo; done; }", "1:30:done"),
        ("x() (\n fi\n)", "2:2:fi"),
        ("{ ;; }", "1:3:;;"),
        ("f() {\n\techo ü) | cat\n}", "2:8:)"),
        (
            "echo \"$(cat) $(\ncase x in a) } ;; esac) $(cat)\"",
            "2:14:}",
        ),
        ("cat <(f() {\n fi; })", "2:2:fi"),
        ("{ cat <<E; ) }\n)\nE\n}", "1:12:)"),
    ] {
        let (place, token) = place.rsplit_once(':').unwrap();
        let expected = format!("error:{place}:syntax error near unexpected token `{token}'");
        reported(script, &[&expected]);
    }
}

#[test]
fn what_comes_before_such_a_token_is_read() {
    let mut script = "systemctl x\n".to_owned();
    script += &"echo {}\n".repeat(500);
    reported(
        &format!("{script}{{ fi; }}\n{script}"),
        &["warning:1:1:", "error:502:3:"],
    );
}

#[test]
fn a_bracket_that_is_not_closed_is_reported_where_it_is_opened() {
    for (script, place) in [
        ("#!/bin/bash\nx=(a b\necho\n", "2:3:)"),
        ("echo; y=(a) x=(b # c", "1:15:)"),
        ("x=(a b\necho 'a\nb'\n", "1:3:)"),
        ("echo\necho ${x", "2:6:}"),
        ("echo ${y:-(} ${x:-\na\n", "1:14:}"),
        ("echo\necho $((1 + 2\n", "2:8:)"),
        ("if echo; then cat; fi < ${x\n", "1:25:}"),
        ("echo && cat | cat @(a|b\n", "1:20:)"),
        ("echo $(( (1 + 2) ", "1:8:)"),
        ("echo\necho \"a\n", "2:6:\""),
    ] {
        let (place, closing) = place.rsplit_once(':').unwrap();
        let expected =
            format!("error:{place}:unexpected EOF while looking for matching `{closing}'");
        reported(script, &[&expected]);
    }
}

#[test]
fn what_only_looks_like_an_open_bracket_is_not_reported() {
    for script in [
        "cat <<E\n(\n${\n",
        "cat <<'E'\n(\nE\n# (${\n",
        "echo '(' \"${x:-(}\" \\( $((1 + (2)))",
        "case x in a) echo;; esac\nx=(\na\n)",
        "echo ${x:-\n}\n\n",
    ] {
        reported(script, &[]);
    }
}

#[test]
fn a_command_in_an_expansion_is_reported_where_it_is_called() {
    for (script, place) in [
        ("echo\n[[ -n $(qm) ]]", "2:9"),
        ("echo; for i in $(qm); do echo; done", "1:18"),
        ("echo\n case $(qm) in a) echo;; esac", "2:9"),
        ("while echo; do\n  cat\ndone < <(qm)", "3:10"),
        ("if echo; then\n  [[ $(qm) ]]\nfi", "2:8"),
        ("echo qm\necho ${y:-$(qm)}", "2:13"),
        ("echo \"${y:=a $(qm)}\"", "1:16"),
        ("echo ${y/a/$(qm)} ${!z-$(cat)}", "1:14"),
        ("echo ${y:$(qm)} ${z[$(cat)]}", "1:12"),
        ("echo\n(( $(qm) + 1 ))", "2:6"),
        ("for ((i = 0; i < $(qm); i++)); do echo; done", "1:20"),
        ("a[$(qm)]=1", "1:5"),
        ("echo a | xargs -n 1 -I {} qm {}", "1:27"),
        ("xargs env A=b qm", "1:15"),
        ("find . -name a -exec qm {} \\;", "1:22"),
        ("find . -exec cat {} + -execdir qm {} +", "1:32"),
        ("cat <<E\n$(qm)\nE", "2:3"),
    ] {
        let known = |name: &str| name != "qm";
        let reports = check(script, known);
        let [report] = &reports[..] else {
            panic!("{script}: {reports:?}");
        };
        let message = &report.message;
        assert_eq!(message, "the sandbox has no command `qm`", "{script}");
        let found = format!("{}:{}", report.line, report.column);
        assert_eq!(found, place, "{script}");
    }
}
