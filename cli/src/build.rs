//! `tenterhook build`: builds a project's program according to its `tenterhook.toml`.
//!
//! The result is checked as an upload would be, so that a program that builds can be pushed.

mod toolchain;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};
use tenterhook_engine::{Diagnostic, Digest, Error, GuestStack, Kind};

use crate::command;
use crate::faults::Faults;
use crate::module_limit::ModuleLimitFlag;
use crate::neutral;
use crate::paint::{self, Painter};
use crate::program_file::ProgramFile;
use crate::project::Project;
use crate::quantity::show_size;
use crate::say::say;
use crate::spinner::Spinner;
use crate::table::{OutputFormat, print};
use crate::{code_cache, script_check};

/// Builds the project in this folder and checks the result as an upload would.
///
/// The command is `build` in `tenterhook.toml`; what it prints goes to stderr. A
/// script is not built, only checked: shows where it cannot be parsed and which of its
/// commands do not exist, though a server accepts it all the same. Exit status: 0 when the
/// program would be accepted, 1 when not.
#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// The project's folder.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    #[command(flatten)]
    max_module: ModuleLimitFlag,
    #[command(flatten)]
    format: OutputFormat,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &BuildArgs, log: Option<&str>) -> ExitCode {
    let mut faults = Faults::default();
    let Some(module_bytes) = args.max_module.read(&mut faults) else {
        say(faults);
        return ExitCode::from(2);
    };
    command::run_to(log, || match build(args, module_bytes)? {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::FAILURE),
    })
}

/// Builds and checks the program; returns whether it would be accepted.
fn build(args: &BuildArgs, module_bytes: u64) -> anyhow::Result<bool> {
    let project = Project::open(&args.folder)?;
    if let Some(command) = &project.manifest.build {
        let status = run(command, &project.folder)?;
        if !status.success() {
            say(format_args!("the build ended with {}", ended(status)));
            for hint in toolchain::hints(command, status.code(), &project.folder) {
                say(hint);
            }
            return Ok(false);
        }
    }
    if !project.program().exists() && project.manifest.build.is_some() {
        say(format_args!(
            "the build did not create {}; `program` in tenterhook.toml must name the file that `build` creates",
            project.program().display()
        ));
        return Ok(false);
    }
    let file = project.read_program()?;
    let built = Built::check(&project, &file, module_bytes)?;
    let text = if args.format.is_json() {
        format!("{}\n", built.json())
    } else {
        built.page(paint::stdout())
    };
    print(&text)?;
    Ok(built.refusal.is_none())
}

/// Runs the build command; its output goes to stderr, since stdout is for the result.
fn run(command: &str, folder: &Path) -> anyhow::Result<ExitStatus> {
    say(format_args!("building: {}", neutral::line(command)));
    Command::new("sh")
        .arg("-c")
        .arg(command)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::from(io::stderr()))
        .status()
        .context("cannot start `sh`, which runs the build command")
}

fn ended(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("status {code}; its output is above"),
        None => "a signal".to_owned(),
    }
}

/// The program, and whether an upload of it would be accepted.
struct Built {
    program: PathBuf,
    kind: Kind,
    size_bytes: u64,
    digest: Option<Digest>,
    /// How long it took to compile; `None` if nothing had to be compiled.
    compiled: Option<Duration>,
    refusal: Option<String>,
    /// What is wrong with a script that is accepted.
    diagnostics: Vec<Diagnostic>,
}

impl Built {
    /// Checks and compiles. The code is cached where `run` and `test` find it.
    #[tokio::main(flavor = "current_thread")]
    async fn check(
        project: &Project,
        file: &ProgramFile,
        module_bytes: u64,
    ) -> anyhow::Result<Self> {
        let kind = file.kind();
        let mut built = Self {
            program: project.program(),
            kind,
            size_bytes: file.size,
            digest: file.digest(),
            compiled: None,
            refusal: None,
            diagnostics: Vec::new(),
        };
        if let Err(refusal) = file.survey(module_bytes) {
            built.refusal = Some(refusal.to_string());
            return Ok(built);
        }
        let engine = code_cache::start_engine(GuestStack::default())?;
        let spinner = Spinner::start("compiling");
        let started_at = Instant::now();
        let loaded = engine.load(kind, &file.bytes).await;
        drop(spinner);
        match loaded {
            Ok(_) if kind != Kind::Script && engine.stats().compilations > 0 => {
                built.compiled = Some(started_at.elapsed());
            }
            Ok(_) => built.diagnostics = script_check::diagnose(&engine, kind, &file.bytes).await?,
            Err(Error::Refused { refusal }) => built.refusal = Some(refusal.to_string()),
            Err(error) => return Err(error.into()),
        }
        Ok(built)
    }

    /// The result as JSON; members are those of `check --json`.
    fn json(&self) -> Value {
        let mut document = json!({
            "program": self.program.to_string_lossy(),
            "kind": self.kind,
            "size_bytes": self.size_bytes,
            "digest": self.digest.map(|digest| digest.to_string()),
            "accepted": self.refusal.is_none(),
        });
        if let Some(reason) = &self.refusal {
            document["reason"] = reason.as_str().into();
        }
        if let Some(time) = self.compiled {
            document["compile_us"] = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).into();
        }
        if self.kind == Kind::Script && self.refusal.is_none() {
            document["warnings"] = json!(self.diagnostics);
        }
        document
    }

    fn page(&self, paint: Painter) -> String {
        let compiled = match self.compiled {
            Some(time) => format!("in {:.1} ms", time.as_micros() as f64 / 1_000.0),
            None => "before".to_owned(),
        };
        let verdict = match &self.refusal {
            None => paint.ok("accepted"),
            Some(reason) => paint.bad(&format!("refused: {}", neutral::line(reason))),
        };
        let mut lines = vec![
            ("program", neutral::line(&self.program.to_string_lossy())),
            ("kind", self.kind.to_string()),
            ("size", show_size(self.size_bytes)),
        ];
        if self.kind != Kind::Script && self.refusal.is_none() {
            lines.push(("compiled", compiled));
        }
        lines.push(("verdict", verdict));
        let described = |own| script_check::describe(own, paint);
        lines.extend(self.diagnostics.iter().map(described));
        lines
            .iter()
            .map(|(name, value)| format!("{name:<10} {value}\n"))
            .collect()
    }
}
