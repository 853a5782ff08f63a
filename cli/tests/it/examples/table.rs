//! What every example answers and costs, as the table in `guest-examples/README.md`
//! says it.
//!
//! What an example answers must be as recorded. Fuel, memory and size may be a tenth or
//! one unit off: another version of a compiler makes another program. With
//! `make examples-table` the test measures all of them and writes the table.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tenterhook_tests_artifacts as artifacts;

use super::languages::tried;
use super::root;
use crate::tenterhook::{Finished, command};

/// The lines that enclose the table.
const BEGIN: &str = "<!-- measured: `make examples-table` writes these lines -->";
const END: &str = "<!-- end of what was measured -->";

const HEAD: &str = "\
| example | language | event | answer | status | fuel | peak memory | size |
|---|---|---|---|--:|--:|--:|--:|
";

/// Columns that are compared by their numbers.
const MEASURED: [(usize, &str); 3] = [(5, "fuel"), (6, "peak memory"), (7, "size")];

/// One example.
struct Example {
    /// Its file or folder.
    place: &'static str,
    language: &'static str,
    event: &'static str,
    given: Given,
}

/// What it is measured on.
enum Given {
    /// The sample data of its event.
    Data,
    /// One of its own tests, run by this program.
    Event(&'static str, &'static str),
    /// One of its project's tests; the program is named in the manifest.
    Project(&'static str, &'static str),
}

const EXAMPLES: [Example; 15] = [
    shell("shell/quiesce-database.sh", "snapshot.pre"),
    shell("shell/on-health-degrade.sh", "OnHealthDegrade"),
    shell("shell/pre-format-disk.sh", "PreFormatDisk"),
    shell("shell/volume-guard.sh", "PreFormatDisk"),
    shell("shell/audit-log.sh", "OnAudit"),
    shell("shell/nic-tune.sh", "PostNetworkConfig"),
    shell("shell/snapshot-catalog.sh", "OnRbdSnapshotComplete"),
    rust(
        "volume-guard",
        "PreFormatDisk",
        "in-use",
        artifacts::VOLUME_GUARD,
    ),
    rust(
        "audit-redaction",
        "OnAudit",
        "new-user",
        artifacts::AUDIT_REDACTION,
    ),
    rust(
        "maintenance-workflow",
        "session.decide",
        "keep-spare",
        artifacts::MAINTENANCE_WORKFLOW,
    ),
    project(
        "c",
        "C",
        "PreCrushMapChange",
        "into-frozen-rack",
        "crush-guard.wasm",
    ),
    project(
        "zig",
        "Zig",
        "OnDhcpLeaseUpdate",
        "stranger",
        "lease-guard.wasm",
    ),
    project(
        "assemblyscript",
        "AssemblyScript",
        "OnRbdSnapshotComplete",
        "daily",
        "snapshot-names.wasm",
    ),
    project(
        "python",
        "Python",
        "OnHealthDegrade",
        "two-checks",
        "health-digest.wasm",
    ),
    project(
        "javascript",
        "JavaScript",
        "OnAudit",
        "deletion-at-night",
        "audit-alerts.wasm",
    ),
];

const fn shell(place: &'static str, event: &'static str) -> Example {
    let given = Given::Data;
    let language = "shell";
    Example {
        place,
        language,
        event,
        given,
    }
}

const fn rust(
    place: &'static str,
    event: &'static str,
    case: &'static str,
    program: &'static str,
) -> Example {
    let given = Given::Event(case, program);
    let language = "Rust";
    Example {
        place,
        language,
        event,
        given,
    }
}

const fn project(
    place: &'static str,
    language: &'static str,
    event: &'static str,
    case: &'static str,
    program: &'static str,
) -> Example {
    let given = Given::Project(case, program);
    Example {
        place,
        language,
        event,
        given,
    }
}

/// A run of an example.
struct Measured {
    verdict: Value,
    status: u64,
    usage: Value,
    size: u64,
}

impl Example {
    /// Runs it; `None` if its compiler is not there.
    fn measure(&self) -> Option<Measured> {
        match self.given {
            Given::Data => {
                let data = format!("guest-examples/data/{}.json", self.event);
                let program = root("guest-examples").join(self.place);
                Some(self.run(&program, &root(data)))
            }
            Given::Event(case, program) => {
                let event = root("guest-examples")
                    .join(self.place)
                    .join(format!("tests/{case}.event.json"));
                let event: Value = read_json(&event);
                assert_eq!(event["type"], self.event);
                let data = tempfile::NamedTempFile::new().unwrap();
                std::fs::write(data.path(), event["data"].to_string()).unwrap();
                Some(self.run(Path::new(program), data.path()))
            }
            Given::Project(case, program) => {
                let tried = tried(self.place)?;
                let answer: Value = serde_json::from_str(&tried.result.stdout).unwrap();
                let mut tests = answer["tests"].as_array().unwrap().iter();
                let test = tests.find(|test| test["name"] == case).unwrap();
                Some(Measured::new(test, &tried.folder.join(program)))
            }
        }
    }

    /// `tenterhook run`, the same in every run.
    fn run(&self, program: &Path, data: &Path) -> Measured {
        let report = tempfile::NamedTempFile::new().unwrap();
        let mut run = command(["run", "--event", self.event, "--seed", "0"]);
        run.args(["--clock", "2026-03-10T16:15:50Z", "--data"])
            .arg(data)
            .arg("--report")
            .arg(report.path());
        let result = Finished::of(run.arg(program).output().unwrap());
        let report: Value = read_json(report.path());
        assert_eq!(report["outcome"]["kind"], "exited", "{result:#?}");
        Measured::new(&report, program)
    }

    /// The line of the table.
    fn row(&self, measured: &Measured) -> String {
        let Measured {
            verdict,
            status,
            usage,
            size,
        } = measured;
        let place = self.place;
        let file = match self.given {
            Given::Project(_, program) => program,
            Given::Data | Given::Event(..) => place,
        };
        let name = Path::new(file).file_stem().unwrap().display();
        format!(
            "| [`{name}`]({place}) | {} | `{}` | {} | {status} | {} | {} KiB | {} KiB |",
            self.language,
            self.event,
            answer(verdict),
            grouped(usage["fuel"].as_u64().unwrap()),
            grouped(usage["memory_peak_bytes"].as_u64().unwrap().div_ceil(1024)),
            grouped(size.div_ceil(1024)),
        )
    }
}

impl Measured {
    fn new(report: &Value, program: &Path) -> Self {
        Self {
            verdict: report["verdict"].clone(),
            status: report["exit_status"].as_u64().unwrap(),
            usage: report["usage"].clone(),
            size: std::fs::metadata(program).unwrap().len(),
        }
    }
}

/// A verdict in a few words: its decision, then the names of its other members.
fn answer(verdict: &Value) -> String {
    let Some(members) = verdict.as_object() else {
        return "none".into();
    };
    let verdict = match (members.get("allow"), members.get("reason")) {
        (Some(Value::Bool(false)), Some(reason)) => format!("no: {}", reason.as_str().unwrap()),
        (Some(Value::Bool(false)), None) => "no".into(),
        (Some(Value::Bool(true)), _) => "yes".into(),
        _ => "a verdict".into(),
    };
    let others: Vec<_> = members
        .keys()
        .filter(|name| !["allow", "reason"].contains(&name.as_str()))
        .map(|name| format!("`{name}`"))
        .collect();
    match others.is_empty() {
        true => verdict,
        false => format!("{verdict}, with {}", others.join(", ")),
    }
}

/// A number with commas between groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn read_json(file: &Path) -> Value {
    let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_slice(&bytes).unwrap()
}

fn readme() -> PathBuf {
    root("guest-examples/README.md")
}

#[test]
fn every_example_has_the_verdict_and_cost_in_the_table() {
    let measured: Vec<_> = EXAMPLES
        .iter()
        .map(|example| example.measure().map(|measured| example.row(&measured)))
        .collect();
    let text = std::fs::read_to_string(readme()).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();

    #[expect(
        clippy::disallowed_methods,
        reason = "a test is told by whoever starts it"
    )]
    if std::env::var("TENTERHOOK_EXAMPLES_TABLE").is_ok_and(|word| word == "write") {
        let rows: Vec<String> = measured
            .into_iter()
            .collect::<Option<_>>()
            .expect("every compiler is there; `make toolchains` installs them");
        let rows = rows.join("\n");
        let text = format!("{before}{BEGIN}\n\n{HEAD}{rows}\n\n{END}{after}");
        std::fs::write(readme(), text).unwrap();
        return;
    }

    let recorded: Vec<_> = table
        .lines()
        .filter(|line| line.starts_with("| ["))
        .collect();
    assert_eq!(recorded.len(), EXAMPLES.len(), "{table}");
    for (recorded, measured) in recorded.into_iter().zip(measured) {
        if let Some(measured) = measured {
            compare(recorded, &measured);
        }
    }
}

/// Fails unless a line of the table is what was measured, within its bounds.
fn compare(recorded: &str, measured: &str) {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|')
            .split(" | ")
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let number = |cell: &str| -> f64 {
        let digits: String = cell.chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    };
    let (mut was, mut is) = (cells(recorded), cells(measured));
    for (column, what) in MEASURED {
        let (before, now) = (number(&was[column]), number(&is[column]));
        assert!(
            (now - before).abs() <= f64::max(before / 10.0, 1.0),
            "{what} is more than a tenth off; if that is meant, `make examples-table`:\n{recorded}\n{measured}"
        );
        (was[column], is[column]) = (String::new(), String::new());
    }
    assert_eq!(
        was, is,
        "if that is meant, `make examples-table` writes it down"
    );
}
