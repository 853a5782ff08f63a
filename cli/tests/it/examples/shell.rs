//! The examples in shell, on the sample data of their events and on odd data.

use std::path::Path;

use serde_json::{Value, json};
use tenterhook_tests_artifacts as artifacts;

use super::root;
use crate::tenterhook::{Finished, command};

/// Runs an example on its event's data; answers how it ended and its verdict.
fn run(program: impl AsRef<Path>, event: &str, flags: &[&str]) -> (Finished, Value) {
    let data = root(format!("guest-examples/data/{event}.json"));
    run_on(&data, program, event, flags)
}

fn run_on(
    data: &Path,
    program: impl AsRef<Path>,
    event: &str,
    flags: &[&str],
) -> (Finished, Value) {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let output = command(["run", "--event", event, "--data"])
        .arg(data)
        .arg("--report")
        .arg(&report)
        .args(["--clock", "2026-03-10T16:15:50Z"])
        .args(flags)
        .arg(root("guest-examples/shell").join(program))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    (Finished::of(output), report["verdict"].clone())
}

/// Runs an example on other data than the sample.
fn run_with(data: &Value, program: &str, event: &str, flags: &[&str]) -> (Finished, Value) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), data.to_string()).unwrap();
    run_on(file.path(), program, event, flags)
}

#[test]
fn the_volume_guard_decides_the_same_in_shell_and_in_rust() {
    for program in ["volume-guard.sh", artifacts::VOLUME_GUARD] {
        let (result, verdict) = run(program, "PreFormatDisk", &[]);
        assert_eq!(
            result.with_status(0).stdout,
            "/dev/sdc still holds 73014444032 bytes\n"
        );
        assert_eq!(verdict["allow"], false);
    }
}

#[test]
fn a_disk_is_formatted_only_if_it_was_released() {
    let (result, verdict) = run("pre-format-disk.sh", "PreFormatDisk", &[]);
    assert_eq!(
        result.with_status(0).stdout,
        "disk WD-WCC7K4AB was not released\n"
    );
    assert_eq!(verdict["allow"], false);

    let released = ["--env", "RELEASED=A WD-WCC7K4AB B"];
    let (result, verdict) = run("pre-format-disk.sh", "PreFormatDisk", &released);
    assert_eq!(
        result.with_status(0).stdout,
        "disk WD-WCC7K4AB may become osd\n"
    );
    assert_eq!(verdict["allow"], true);

    let small = [released[0], released[1], "--env", "MAX_BYTES=1000"];
    let (result, verdict) = run("pre-format-disk.sh", "PreFormatDisk", &small);
    assert!(result.with_status(0).stdout.contains("more than 1000"));
    assert_eq!(verdict["allow"], false);
}

#[test]
fn worse_health_is_summarized_worst_first() {
    let (result, _) = run("on-health-degrade.sh", "OnHealthDegrade", &[]);
    let expected = "HEALTH_OK -> HEALTH_ERR\n\
        HEALTH_ERR      1  PG_DAMAGED           1 pg inconsistent\n\
        HEALTH_WARN     2  OSD_DOWN             2 osds down\n\
        2 checks: 1 in error, 2 in warning\n";
    assert_eq!(result.with_status(1).stdout, expected);
}

#[test]
fn malformed_health_checks_do_not_end_the_summary() {
    let data = json!({"oldStatus": "HEALTH_OK", "newStatus": "HEALTH_WARN", "checks": [
        7, {"name": "SLOW_OPS"}, {"name": "A", "severity": "HEALTH_WARN", "count": 40},
        {"name": "B", "severity": "HEALTH_WARN", "count": "many", "summary": "tab\there"},
    ]});
    let (result, _) = run_with(&data, "on-health-degrade.sh", "OnHealthDegrade", &[]);
    let result = result.with_status(0);
    assert!(
        result
            .stdout
            .ends_with("3 checks: 0 in error, 40 in warning\n"),
        "{result:#?}"
    );
}

#[test]
fn a_database_is_quiesced_before_its_snapshot() {
    let (result, verdict) = run("quiesce-database.sh", "snapshot.pre", &[]);
    assert_eq!(
        result.with_status(0).stdout,
        "postgres: 1 to do before, 0 after\n"
    );
    let plan = json!({
        "place": "billing/billing-db-0/postgres", "holdSeconds": 60, "after": [],
        "before": ["psql -U postgres -v ON_ERROR_STOP=1 -c CHECKPOINT"],
    });
    assert_eq!(verdict, json!({"allow": true, "plan": plan}));

    let redis =
        json!({"containerImage": "docker.example/cache/redis:8@sha256:00", "podLabels": {}});
    let shorter = ["--env", "HOLD_SECONDS=5"];
    let (result, verdict) = run_with(&redis, "quiesce-database.sh", "snapshot.pre", &shorter);
    result.with_status(0);
    assert_eq!(
        verdict["plan"]["before"],
        json!(["redis-cli CLIENT PAUSE 5000 WRITE", "redis-cli SAVE"])
    );
    assert_eq!(
        verdict["plan"]["after"],
        json!(["redis-cli CLIENT UNPAUSE"])
    );

    for wrong in ["HOLD_SECONDS=08", "HOLD_SECONDS=1m", "HOLD_SECONDS=999999"] {
        let (result, _) = run("quiesce-database.sh", "snapshot.pre", &["--env", wrong]);
        result.with_status(2).with_stderr("up to 99999");
    }
}

#[test]
fn mariadb_and_mysql_have_clients_of_their_own() {
    for (image, client) in [("mariadb:12", "mariadb "), ("percona:8@sha256:0", "mysql ")] {
        let data = json!({"containerImage": image});
        let (result, verdict) = run_with(&data, "quiesce-database.sh", "snapshot.pre", &[]);
        result.with_status(0);
        for when in ["before", "after"] {
            let command = verdict["plan"][when][0].as_str().unwrap();
            assert!(command.starts_with(client), "{verdict}");
        }
    }
}

#[test]
fn only_a_database_is_quiesced() {
    let quiesce = |data: Value| run_with(&data, "quiesce-database.sh", "snapshot.pre", &[]);
    let (result, verdict) =
        quiesce(json!({"containerImage": "shop:2", "podLabels": {"tier": "web"}}));
    result.with_status(0);
    assert_eq!(verdict["plan"]["before"], json!([]));

    let unknown = json!({"containerImage": "oddbase:1", "podLabels": {"tier": "db"}});
    let (result, verdict) = quiesce(unknown);
    result.with_status(0);
    assert_eq!(
        verdict,
        json!({"allow": false, "reason": "no way is known to bring oddbase to rest"})
    );
}

#[test]
fn an_audit_entry_is_one_line() {
    let (result, _) = run("audit-log.sh", "OnAudit", &[]);
    let expected = "time=2026-03-10T16:15:50Z id=1207 username=ada ip=192.0.2.17 method=POST \
        endpoint=/api/events/hooks status=201 operation=create_hook\n";
    assert_eq!(result.with_status(0).stdout, expected);
}

#[test]
fn fast_interfaces_get_large_frames() {
    let (result, verdict) = run("nic-tune.sh", "PostNetworkConfig", &[]);
    assert_eq!(result.with_status(0).stdout.lines().count(), 3);
    assert_eq!(verdict["settings"]["eth0"]["mtu"], 1500);
    assert_eq!(verdict["settings"]["eth2"]["rxRing"], 8192);
}

#[test]
fn a_snapshot_has_an_expiry_date() {
    let (result, verdict) = run("snapshot-catalog.sh", "OnRbdSnapshotComplete", &[]);
    let line = "vm/billing-db@daily-2026-03-10 expires on 2026-03-24\n";
    assert_eq!(result.with_status(0).stdout, line);
    assert_eq!(verdict["expires"], "2026-03-24");
}
