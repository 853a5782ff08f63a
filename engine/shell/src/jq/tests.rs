//! Every call is asked of both: ours must answer as the interpreter's does.

use crate::{Job, Shell, Stream};
use std::sync::Mutex;

const FILTERS: &[&str] = &[
    ".",
    ".a",
    ".a.b",
    ".a.b.c",
    ".a?",
    ".a.b?",
    ".[0]",
    ".[-1]",
    ".[99]",
    ".[]",
    ".[]?",
    ".a[]",
    ".a[]?",
    ".a[0]",
    ".a[0]?.b",
    ".\"a\"",
    ".[\"a\"]",
    ".a[\"b\"]",
    ".a|.b",
    ".a | .b // 1",
    ".a // \"none\"",
    ".a // .b // 3",
    "(.a, .b) // 7",
    ".a, .b",
    "[.a, .b]",
    "[]",
    "[.[]?]",
    "{}",
    "{a, b: .a}",
    "{a: 1, \"b c\": \"x\"}",
    "{a: (.a // null)}",
    "length",
    "keys",
    ".a | keys",
    ".a|length",
    "type",
    ".[]|type",
    "not",
    ".a|not",
    "empty",
    "null",
    "true",
    "false",
    "5",
    "\"x\\ny\"",
    "[.[] | .a?]",
    ".a[].b",
    ".a.[0]",
    "..",
    ".a[1:2]",
    "map(.a)",
    ".a + 1",
    "\"\\(.a)\"",
    "$v",
    "{v: $v}",
    "{$v}",
    "[$v, .a]",
    ".a as $x | $x",
    "if .a then 1 else 2 end",
    ".a |= 1",
    "@base64",
    ".[0].a, .[1].a",
    ".é",
    ". // empty",
    "(.a)",
    "((.a))",
    ".a.b.c.d",
    "[[.a]]",
    "",
    "|",
    ".a b",
    "1.5",
    ".a[ 0 ]",
    ".a [0]",
    ". .a",
    "{a:.b|.c}",
    "{a:.b,}",
    "[,]",
    "-1",
    ".[-1:]",
    "{\"a\":{\"b\":$v}}",
];

const INPUTS: &[&str] = &[
    r#"{"a":1,"b":"two"}"#,
    r#"{"a":{"b":{"c":[1,2,{"d":null}]}},"b":false}"#,
    r#"{"a":[{"b":1},{"b":2}],"b":[]}"#,
    r#"[{"a":1},{"a":null},3,"x",true]"#,
    r#"[]"#,
    r#"null"#,
    r#""text \"with\" \\ and é \u00e9 \ud83d\ude00 \t\n""#,
    r#"{"a":"\u0001","b":"\u007f"}"#,
    r#"{"a":1.0,"b":1e3}"#,
    r#"{"a":-0,"b":12345678901234567890}"#,
    "{\"a\":1}\n{\"a\":2}\n",
    "1 2 3",
    "",
    "  \n ",
    "{\"a\":1} x",
    "{\"a\":1",
    r#"{"a":1,"a":2}"#,
    "[1,2,]",
    "nul",
    "\"\u{1}\"",
    "{\"a\":\"\\ud800\"}",
    "tru[",
    "[1]2",
    "{}[]",
];

const OPTIONS: &[&str] = &[
    "", "-r", "-c", "-e", "-rc", "-n", "-s", "-j", "-cs", "-er", "-S", "-R", "-z",
];

fn run(script: &str, stdin: &str) -> (u8, String, String) {
    let mut job = Job::new(script);
    job.stdin = stdin.into();
    let streams = Mutex::new((Vec::new(), Vec::new()));
    let sink = |stream, bytes: &[u8]| {
        let mut streams = streams.lock().unwrap();
        match stream {
            Stream::Stdout => streams.0.extend_from_slice(bytes),
            Stream::Stderr => streams.1.extend_from_slice(bytes),
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let ended = runtime.block_on(async { Shell::build().await.run(job, &sink).await });
    let (out, err) = streams.into_inner().unwrap();
    (
        ended.status,
        String::from_utf8(out).unwrap(),
        String::from_utf8(err).unwrap(),
    )
}

/// Runs every filter on `input` with `options`, through the command `jq`.
fn script(jq: &str, options: &str, input: &str) -> String {
    let quote = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let mut script = String::new();
    for filter in FILTERS {
        let (filter, input) = (quote(filter), quote(input));
        script += &format!(
            "echo \"== \"{filter}; printf %s {input} | {jq} {options} --arg v 'v\"1' {filter} 2>&1; echo \"= $?\"\n"
        );
    }
    script
}

#[test]
fn both_implementations_agree() {
    for (at, input) in INPUTS.iter().enumerate() {
        // Each input meets three of the options, each option several inputs.
        for options in (3 * at..3 * at + 3).map(|n| OPTIONS[n % OPTIONS.len()]) {
            let ours = run(&script("jq", options, input), "");
            let full = run(&script("/usr/bin/jq", options, input), "");
            let pairs = ours.1.split("== ").zip(full.1.split("== "));
            for (ours, full) in pairs {
                assert_eq!(ours, full, "input {input:?}, options {options:?}");
            }
            assert_eq!(ours, full);
        }
    }
}

#[test]
fn files_and_standard_input_are_read() {
    let (status, out, _) = run(
        "echo '{\"a\":\"x\"}' > f; jq -r .a f f; jq .a; jq .a nope",
        "{\"a\":1}",
    );
    assert_eq!((status, out.as_str()), (2, "x\nx\n1\n"));
}

#[test]
fn plain_filters_are_evaluated_here() {
    for filter in [
        ".a",
        ".a.b[0]?",
        ".a // \"x\" | length",
        "{a: $v, b: [.c]}",
        ".[] | .x, .y",
    ] {
        assert!(super::syntax::parse(filter).is_some(), "{filter}");
    }
}
