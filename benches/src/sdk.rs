//! What the SDK costs: a hook that reads its event as a type, beside a module that
//! prints the same line, or leaves the same verdict, and reads nothing.

use anyhow::Context as _;
use tenterhook_engine::{Engine, Invocation, Kind};
use tenterhook_tests_artifacts as artifacts;

use crate::contender::Contender;
use crate::table;

/// The event that both are given.
const EVENT: &str = include_str!("../../guest-examples/volume-guard/tests/in-use.event.json");

/// Its data.
const DATA: &str = r#"{"hostname":"storage-3","device":"/dev/sdc","serial":"WD-WCC7K4AB","sizeBytes":4000787030016,"role":"osd","usedBytes":73014444032}"#;

/// Most that a hook may be slower than the bare module, in microseconds.
const MOST_MICROS: f64 = 20.0;

/// Runs of each.
const RUNS: usize = 5000;

/// Prints the tables, and the differences of their rows.
pub(crate) fn print(engine: &Engine) -> anyhow::Result<()> {
    let pairs = [
        (
            "a line of output",
            artifacts::SDK_BARE,
            artifacts::SDK_HELLO,
        ),
        (
            "a line and a verdict",
            artifacts::SDK_BARE_ALLOW,
            artifacts::SDK_ALLOW,
        ),
    ];
    for (what, bare, hook) in pairs {
        let title = format!("{what}: an SDK hook that reads its event, and a bare module");
        let contenders = vec![
            contender("bare module", engine, bare)?,
            contender("SDK hook", engine, hook)?,
        ];
        compare(&table::print(&title, RUNS, contenders)?)?;
    }
    Ok(())
}

fn contender(name: &'static str, engine: &Engine, file: &str) -> anyhow::Result<Contender> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {file}"))?;
    let program = engine
        .threads()
        .block_on(engine.load(Kind::Module, &bytes))?;
    Ok(Contender::guest(name, engine, &program).given(invocation))
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn compare(medians: &[f64]) -> anyhow::Result<()> {
    let [bare, hook] = medians else {
        anyhow::bail!("a guest did not run");
    };
    let more = hook - bare;
    println!("the SDK takes {more:.1} us of a run; it should be less than {MOST_MICROS} us");
    Ok(())
}

/// What a server gives a hook of `PreFormatDisk`.
fn invocation() -> Invocation {
    let told = [
        ("HOOK_EVENT", "PreFormatDisk"),
        ("HOOK_EVENT_ID", "00000000-0000-4000-8000-000000000001"),
        ("HOOK_EXECUTION_ID", "00000000-0000-4000-8000-000000000002"),
        ("HOOK_ACCOUNT_ID", "00000000-0000-4000-8000-000000000003"),
        ("HOOK_ATTEMPT", "1"),
        ("HOOK_LIMIT_WALL_MS", "10000"),
        ("HOOK_PARAM_HOSTNAME", "storage-3"),
        ("HOOK_PARAM_DEVICE", "/dev/sdc"),
        ("HOOK_PARAM_SERIAL", "WD-WCC7K4AB"),
        ("HOOK_PARAM_SIZE_BYTES", "4000787030016"),
        ("HOOK_PARAM_ROLE", "osd"),
    ];
    let mut invocation = crate::invocation();
    invocation.env = told
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    invocation.event = EVENT.into();
    invocation.stdin = DATA.into();
    invocation
}
