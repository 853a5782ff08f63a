//! The hooks in `guest-examples` run as they stand.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tenterhook_tests_artifacts as artifacts;

use crate::tenterhook::{Ended, command};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-examples")
}

/// Runs an example on its event's data; answers how it ended and its verdict.
fn run(program: impl AsRef<Path>, event: &str, flags: &[&str]) -> (Ended, Value) {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let output = command(["run", "--event", event, "--data"])
        .arg(examples().join("data").join(format!("{event}.json")))
        .arg("--report")
        .arg(&report)
        .args(["--clock", "2026-03-10T16:15:50Z"])
        .args(flags)
        .arg(examples().join("shell").join(program))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    (Ended::of(output), report["verdict"].clone())
}

#[test]
fn the_volume_guard_answers_alike_in_shell_and_in_rust() {
    for program in ["volume-guard.sh", artifacts::VOLUME_GUARD] {
        let (ended, verdict) = run(program, "PreFormatDisk", &[]);
        assert_eq!(
            ended.with_status(1).stdout,
            "/dev/sdc still holds 73014444032 bytes\n"
        );
        assert_eq!(verdict["allow"], false);
    }
}

#[test]
fn a_disk_is_formatted_only_if_it_was_released() {
    let (ended, verdict) = run("pre-format-disk.sh", "PreFormatDisk", &[]);
    assert_eq!(
        ended.with_status(1).stdout,
        "disk WD-WCC7K4AB was not released\n"
    );
    assert_eq!(verdict["allow"], false);

    let released = ["--env", "RELEASED=A WD-WCC7K4AB B"];
    let (ended, verdict) = run("pre-format-disk.sh", "PreFormatDisk", &released);
    assert_eq!(
        ended.with_status(0).stdout,
        "disk WD-WCC7K4AB may become osd\n"
    );
    assert_eq!(verdict["allow"], true);

    let small = [released[0], released[1], "--env", "MAX_BYTES=1000"];
    let (ended, _) = run("pre-format-disk.sh", "PreFormatDisk", &small);
    assert!(ended.with_status(1).stdout.contains("more than 1000"));
}

#[test]
fn worse_health_is_listed_worst_first() {
    let (ended, _) = run("on-health-degrade.sh", "OnHealthDegrade", &[]);
    let expected = "HEALTH_OK -> HEALTH_ERR\n\
        HEALTH_ERR      1  PG_DAMAGED           1 pg inconsistent\n\
        HEALTH_WARN     2  OSD_DOWN             2 osds down\n";
    assert_eq!(ended.with_status(1).stdout, expected);
}

#[test]
fn an_audit_entry_is_one_line() {
    let (ended, _) = run("audit-log.sh", "OnAudit", &[]);
    let expected = "time=2026-03-10T16:15:50Z id=1207 username=ada ip=192.0.2.17 method=POST \
        endpoint=/api/events/hooks status=201 operation=create_hook\n";
    assert_eq!(ended.with_status(0).stdout, expected);
}

#[test]
fn fast_interfaces_get_large_frames() {
    let (ended, verdict) = run("nic-tune.sh", "PostNetworkConfig", &[]);
    assert_eq!(ended.with_status(0).stdout.lines().count(), 3);
    assert_eq!(verdict["settings"]["eth0"]["mtu"], 1500);
    assert_eq!(verdict["settings"]["eth2"]["rxRing"], 8192);
}

#[test]
fn a_snapshot_has_an_expiry_date() {
    let (ended, verdict) = run("snapshot-catalog.sh", "OnRbdSnapshotComplete", &[]);
    let line = "vm/billing-db@daily-2026-03-10 expires on 2026-03-24\n";
    assert_eq!(ended.with_status(0).stdout, line);
    assert_eq!(verdict["expires"], "2026-03-24");
}
