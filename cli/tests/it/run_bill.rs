//! The bill of a run, drawn for a person.

use crate::tenterhook::Program;

#[test]
fn a_bill_shows_the_usage_of_each_limit_and_the_verdict() {
    let script = "echo hello; echo '{\"allow\":false,\"reason\":\"full\"}' > /verdict.json; exit 3";
    let result = Program::script(script)
        .run(&["--bill", "--fuel", "2G"])
        .with_status(3);
    assert_eq!(result.stdout, "hello\n");
    let bill: Vec<_> = result.stderr.lines().collect();
    for (name, part) in [
        ("fuel", "of 2 G"),
        ("memory", "of 64 MiB"),
        ("time", "of 30 s"),
        ("output", "6 B of 1 MiB"),
        ("files", "of 64 MiB"),
        ("also", "host calls"),
        ("outcome", "exited with status 3"),
        ("verdict", "denied: full"),
        ("status", "3"),
        ("program", "script sha256:"),
    ] {
        let line = bill
            .iter()
            .find(|line| line.starts_with(&format!("{name} ")));
        let line = line.unwrap_or_else(|| panic!("no {name} in {bill:#?}"));
        assert!(line.contains(part), "{line}");
    }
    let bar = bill.iter().find(|line| line.starts_with("fuel ")).unwrap();
    assert_eq!(bar.matches(['█', '░']).count(), 20, "{bar}");
    assert!(!result.stderr.contains('\u{1b}'), "{result:?}");
}

#[test]
fn a_reached_limit_fills_its_bar() {
    let result = Program::script("while :; do :; done").run(&["--bill", "--fuel", "50M"]);
    let result = result.with_status(137);
    let fuel = result.stderr.lines().find(|line| line.starts_with("fuel "));
    let fuel = fuel.unwrap_or_default();
    assert!(fuel.contains("100 %") && !fuel.contains('░'), "{fuel}");
}

#[test]
fn log_lines_are_not_formatted_outside_a_terminal() {
    let line = r#"{"level":"warn","message":"disk is full","percent":97}"#;
    let result = Program::script(&format!("echo '{line}' >&2")).run(&[]);
    assert_eq!(result.stderr, format!("{line}\n"));
}

#[test]
fn a_report_never_replaces_the_program() {
    let script = Program::script("echo hi");
    let path = script.path.to_str().unwrap().to_owned();
    script
        .run(&["--report", &path])
        .with_status(125)
        .with_stderr("`--report` must not name the program itself");
    assert_eq!(std::fs::read_to_string(path).unwrap(), "echo hi");
}
