//! What is wrong with a script, found without running it.

use bytes::Bytes;
use tenterhook_engine::{Diagnostic, Severity};
use tenterhook_ledger::Holder;

use crate::harness::ENGINE;

async fn diagnose(script: impl Into<Bytes>) -> Vec<Diagnostic> {
    let found = ENGINE.diagnose(Holder::Account(1), script.into());
    found.await.unwrap()
}

#[tokio::test]
async fn a_script_without_faults_has_none() {
    let hook = include_str!("../../../tests/shell/oracle/bench-hook.sh");
    assert_eq!(diagnose(hook).await, []);
    assert_eq!(diagnose("").await, []);
}

#[tokio::test]
async fn faults_have_their_position_and_nothing_is_run() {
    let script = "#!/bin/bash\necho \u{e4}; qm stop 1\nwhile :; do :; done\nif then fi\n";
    let found = diagnose(script).await;
    let [missing, syntax] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(
        (missing.severity, missing.line, missing.column),
        (Severity::Warning, 2, 9)
    );
    assert_eq!(missing.message, "the sandbox has no command `qm`");
    assert_eq!((syntax.severity, syntax.line), (Severity::Error, 4));
    assert!(syntax.message.starts_with("syntax error"), "{syntax:?}");
}

#[tokio::test]
async fn the_largest_scripts_are_checked_within_the_limits() {
    let line = "if [ -e \"$x\" ]; then echo \"$(date) $x\" | sed s/a/b/ > y; fi\n";
    let large = line.repeat(96 * 1024 / line.len());
    assert_eq!(diagnose(large).await, []);
    for lenient in ["echo `".repeat(16_000), "cat <<E\n".repeat(12_000)] {
        let found = diagnose(lenient).await;
        assert!(found.len() <= 100, "{}", found.len());
    }
    for hostile in [
        "$(".repeat(48 * 1024),
        "(".repeat(96 * 1024),
        "{ ".repeat(48 * 1024),
        "x=$(if then)\n".repeat(7_000),
        "nosuch\n".repeat(14_000),
        "'\u{1}\u{2}\u{1e}".repeat(20_000),
    ] {
        let found = diagnose(hostile.clone()).await;
        assert!(!found.is_empty(), "{}", &hostile[..20]);
        assert!(found.len() <= 100, "{}", found.len());
    }
}
