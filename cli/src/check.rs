//! `tenterhook check`: what an upload of a file would answer, without a server.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use tenterhook_dispatch::Settings;
use tenterhook_engine::{self as engine, Digest, Engine, Error, Kind, Refusal, Survey};

use crate::faults::Faults;
use crate::logging::{self, LogFormat};
use crate::quantity::show_size;
use crate::say::{say, say_error};
use crate::serve::module_size;
use crate::{compiler, neutral, program_file};

/// Says whether a script or module would be accepted, and why not.
///
/// Exit status: 0 when it would be accepted, 1 when not.
#[derive(Debug, Args)]
pub(crate) struct Raw {
    /// The script, module or component.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Largest module or component that the server accepts [default: 24MiB].
    #[arg(long, value_name = "SIZE", env = "TENTERHOOK_MAX_MODULE")]
    max_module: Option<String>,
}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, log: Option<&str>) -> ExitCode {
    let mut faults = Faults::default();
    let filter = faults.check("--log", logging::parse_filter(log, "error"));
    let module_bytes = raw
        .max_module
        .as_deref()
        .map_or_else(|| Ok(Settings::default().module_bytes), module_size);
    let module_bytes = faults.check("--max-module", module_bytes);
    let (Some(filter), Some(module_bytes)) = (filter, module_bytes) else {
        say(faults);
        return ExitCode::from(2);
    };
    logging::start(LogFormat::Text, filter);
    match check(&raw.file, module_bytes) {
        Ok(Verdict::Accepted) => ExitCode::SUCCESS,
        Ok(Verdict::Refused) => ExitCode::FAILURE,
        Err(error) => {
            say_error(&error);
            ExitCode::FAILURE
        }
    }
}

enum Verdict {
    Accepted,
    Refused,
}

#[tokio::main(flavor = "current_thread")]
async fn check(file: &Path, module_bytes: u64) -> anyhow::Result<Verdict> {
    let bytes = program_file::read(file)?;
    let kind = Kind::detect(&bytes);
    let mut page = Page::default();
    page.line("kind", kind);
    page.line("size", show_exact_size(bytes.len() as u64));
    page.line("digest", Digest::of(&bytes));
    let verdict = match survey(kind, &bytes, module_bytes) {
        Ok(survey) => {
            page.survey(kind, &survey);
            page.load(kind, &bytes).await?
        }
        Err(refusal) => page.refused(&refusal.to_string()),
    };
    match io::stdout().write_all(page.0.as_bytes()) {
        // Who does not read to the end still has the status.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(verdict),
    }
}

/// What the server checks before it compiles, its own bound on size included.
fn survey(kind: Kind, bytes: &[u8], module_bytes: u64) -> Result<Survey, Refusal> {
    let size = bytes.len() as u64;
    if kind != Kind::Script && size > module_bytes {
        let limit = module_bytes;
        return Err(Refusal::TooLarge { kind, size, limit });
    }
    Engine::survey(kind, bytes)
}

/// What is told of a file: a name and a value per line.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, name: &str, value: impl std::fmt::Display) {
        self.0.push_str(&format!("{name:<10} {value}\n"));
    }

    fn survey(&mut self, kind: Kind, survey: &Survey) {
        if kind == Kind::Script {
            return;
        }
        self.line("functions", survey.functions);
        self.line("imports", survey.imports.len());
        for import in &survey.imports {
            self.line("", neutral::line(import));
        }
    }

    /// Compiles the program as an upload would, without a cache.
    async fn load(&mut self, kind: Kind, bytes: &[u8]) -> anyhow::Result<Verdict> {
        let engine = Engine::start(engine::Settings {
            sandboxes: 1,
            threads: 1,
            compiler: compiler::words(),
            ..engine::Settings::default()
        })?;
        let started_at = Instant::now();
        match engine.load(kind, bytes).await {
            Ok(_) => {
                if kind != Kind::Script {
                    self.line(
                        "compiled",
                        format_args!("in {}", show_time(started_at.elapsed())),
                    );
                }
                self.line("verdict", "accepted");
                Ok(Verdict::Accepted)
            }
            Err(Error::Refused { refusal }) => Ok(self.refused(&refusal.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    fn refused(&mut self, reason: &str) -> Verdict {
        self.line(
            "verdict",
            format_args!("refused: {}", neutral::line(reason)),
        );
        Verdict::Refused
    }
}

fn show_exact_size(bytes: u64) -> String {
    let rounded = show_size(bytes);
    if rounded.ends_with("bytes") {
        rounded
    } else {
        format!("{bytes} bytes ({rounded})")
    }
}

fn show_time(time: Duration) -> String {
    let ms = time.as_micros() as f64 / 1_000.0;
    format!("{ms:.1} ms")
}
