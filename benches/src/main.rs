//! Compares hooks with what an operator would use instead, in one run.
//!
//! Prints a table of medians and ratios. The rows of one table are measured in
//! turns, so that a drift of the machine's speed affects all of them alike.

mod contender;
mod sdk;
mod table;
mod throughput;

use std::time::Duration;

use anyhow::Context as _;
use tenterhook_engine::{CodeCache, Engine, Invocation, Kind, Limits, Program, Settings};

use crate::contender::Contender;

/// The 32-line hook with `grep`, `sed`, `awk` and `jq`.
const HOOK: &str = include_str!("../../tests/shell/oracle/bench-hook.sh");

/// A loop of a thousand turns.
const LOOP: &str = "for i in $(seq 1 1000); do :; done\n";

fn main() -> anyhow::Result<()> {
    let cache = tempfile::tempdir()?;
    let engine = Engine::start(Settings {
        cache: Some(CodeCache {
            folder: cache.path().join("code"),
            key: cache.path().join("code.key"),
            bytes: 1 << 30,
        }),
        ..Settings::default()
    })?;
    let module =
        std::fs::read(tenterhook_tests_artifacts::FRIENDLY_HELLO).context("read the module")?;
    let component = std::fs::read(tenterhook_tests_artifacts::FRIENDLY_HELLO_COMPONENT)
        .context("read the component")?;
    let load = |kind, bytes: &[u8]| engine.threads().block_on(engine.load(kind, bytes));
    let module = load(Kind::Module, &module)?;
    let component = load(Kind::Component, &component)?;
    let script = |text: &str| load(Kind::Script, text.as_bytes());

    table::print(
        "print a line",
        2000,
        vec![
            Contender::guest("module", &engine, &module),
            Contender::guest("component", &engine, &component),
            Contender::guest("script `echo hi`", &engine, &script("echo hi\n")?),
            Contender::process("/bin/true by fork+exec", &["true"]),
            Contender::process("sh -c 'echo hi'", &["sh", "-c", "echo hi"]),
            Contender::process("bash -c 'echo hi'", &["bash", "-c", "echo hi"]),
            Contender::process(
                "bubblewrap sh -c 'echo hi'",
                &[
                    "bwrap",
                    "--unshare-all",
                    "--ro-bind",
                    "/",
                    "/",
                    "sh",
                    "-c",
                    "echo hi",
                ],
            ),
        ],
    )?;
    table::print(
        "a loop of 1,000 turns",
        200,
        vec![
            Contender::guest("script", &engine, &script(LOOP)?),
            Contender::process("dash", &["dash", "-c", LOOP]),
            Contender::process("bash", &["bash", "-c", LOOP]),
        ],
    )?;
    table::print(
        "a 32-line hook",
        100,
        vec![
            Contender::guest("script", &engine, &script(HOOK)?),
            Contender::process("dash", &["dash", "-c", HOOK]),
            Contender::process("bash", &["bash", "-c", HOOK]),
        ],
    )?;
    sdk::print(&engine)?;
    throughput::print(&engine, &module, &component, &script("echo hi\n")?)
}

/// The invocation of every run.
fn invocation() -> Invocation {
    Invocation {
        name: "hook".into(),
        env: vec![
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("HOOK_EVENT".into(), "custom.bench".into()),
        ],
        limits: Limits {
            wall: Duration::from_secs(10),
            ..Limits::default()
        },
        ..Invocation::default()
    }
}

/// Runs `program` once and fails unless it succeeds.
async fn run(engine: &Engine, program: &Program, invocation: Invocation) -> anyhow::Result<()> {
    let report = engine.run(program, invocation).await?;
    anyhow::ensure!(report.outcome.is_success(), "the guest {}", report.outcome);
    Ok(())
}
