//! The report of a run: outcome and resource bill as JSON.

use serde_json::Value;

use crate::tenterhook::Program;
use crate::tiny;

#[test]
fn a_report_has_outcome_and_usage() {
    let script = Program::script(
        "echo hello; echo '{\"allow\":false,\"reason\":\"full\"}' > /verdict.json; exit 3",
    );
    let file = script.folder.path().join("report.json");
    let result = script
        .run(&["--report", file.to_str().unwrap()])
        .with_status(3);
    assert_eq!(result.stdout, "hello\n");
    let report: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(report["kind"], "script");
    assert_eq!(
        report["outcome"],
        serde_json::json!({"kind": "exited", "status": 3})
    );
    assert_eq!(report["exit_status"], 3);
    assert_eq!(report["verdict"]["reason"], "full");
    assert_eq!(report["usage"]["output_bytes"], 6);
    assert_eq!(report["truncated"], false);
    for amount in ["fuel", "memory_peak_bytes", "wall_us", "host_calls"] {
        assert!(
            report["usage"][amount].as_u64().unwrap() > 0,
            "{amount}: {report}"
        );
    }
    assert!(report["digest"].as_str().unwrap().starts_with("sha256:"));
}

#[test]
fn a_report_can_follow_the_output() {
    let module = Program::module(tiny::trapping());
    let result = module.run(&["--report", "-"]).with_status(134);
    let report: Value = serde_json::from_str(&result.stdout).unwrap();
    assert_eq!(report["kind"], "module");
    assert_eq!(report["outcome"]["kind"], "trapped");
    assert_eq!(report["exit_status"], 134);
}

#[test]
fn a_reached_limit_is_named() {
    let script = Program::script("sleep 1h");
    let result = script
        .run(&["--timeout", "100ms", "--report", "-"])
        .with_status(124);
    let report: Value = serde_json::from_str(&result.stdout).unwrap();
    assert_eq!(
        report["outcome"],
        serde_json::json!({"kind": "stopped", "limit": "wall"})
    );
}
