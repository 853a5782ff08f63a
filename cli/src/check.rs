//! `tenterhook check`: what an upload of a file would answer, without a server, and
//! what one run of it takes.

mod found;
mod trial;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use tenterhook_engine::{self as engine, Digest, Engine, Error, Kind, Refusal, Survey};

use self::found::{Found, Judgement};
use crate::faults::Faults;
use crate::local_event::LocalEvent;
use crate::logging::{self, LogFormat};
use crate::module_limit::ModuleLimitFlag;
use crate::say::{say, say_error};
use crate::spinner::Spinner;
use crate::subject::Subject;
use crate::table::{Form, print};
use crate::{compiler, paint};

/// Says whether a script or module would be accepted, and why not.
///
/// Exit status: 0 when it would be accepted, 1 when not, whatever a trial shows.
#[derive(Debug, Args)]
pub(crate) struct Raw {
    /// The script, module or component; a folder with a `tenterhook.toml`, by default
    /// this one, stands for its program.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Run it once, and show what that takes: with a sample of a project's event,
    /// else without an event.
    #[arg(long)]
    trial: bool,
    /// The same for this event: a hook point's name, or a file with a whole event, as
    /// `tenterhook event` prints it.
    #[arg(long, value_name = "NAME|FILE")]
    event: Option<String>,
    #[command(flatten)]
    max_module: ModuleLimitFlag,
    #[command(flatten)]
    form: Form,
}

/// What is to be done.
struct Plan {
    subject: Subject,
    module_bytes: u64,
    trial: Option<LocalEvent>,
}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, log: Option<&str>) -> ExitCode {
    let mut faults = Faults::default();
    let filter = faults.check("--log", logging::parse_filter(log, "error"));
    let module_bytes = raw.max_module.read(&mut faults);
    let subject = faults.check("FILE", Subject::of(raw.file.as_deref()));
    let event = faults.check("--event", LocalEvent::new(raw.event.clone(), None));
    let (Some(filter), Some(module_bytes), Some(subject), Some(event)) =
        (filter, module_bytes, subject, event)
    else {
        say(faults);
        return ExitCode::from(2);
    };
    logging::start(LogFormat::Text, filter);
    let trial = match event {
        LocalEvent::None => raw.trial.then(|| subject.event()),
        event => Some(event),
    };
    let plan = Plan {
        subject,
        module_bytes,
        trial,
    };
    let told = check(&plan).and_then(|found| {
        if raw.form.is_json() {
            print(&found.json())?;
        } else {
            print(&found.page(paint::stdout()))?;
        }
        Ok(found.is_accepted())
    });
    match told {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say_error(&error);
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn check(plan: &Plan) -> anyhow::Result<Found> {
    let bytes = plan.subject.read()?;
    let kind = Kind::detect(&bytes);
    let mut found = Found::new(kind, bytes.len() as u64, Digest::of(&bytes));
    match survey(kind, &bytes, plan.module_bytes) {
        Err(refusal) => found.judgement = Judgement::Refused(refusal.to_string()),
        Ok(survey) => {
            found.survey = Some(survey);
            load(&mut found, &bytes, plan).await?;
        }
    }
    Ok(found)
}

/// What the server checks before it compiles, its own bound on size included.
pub(crate) fn survey(kind: Kind, bytes: &[u8], module_bytes: u64) -> Result<Survey, Refusal> {
    let size = bytes.len() as u64;
    if kind != Kind::Script && size > module_bytes {
        let limit = module_bytes;
        return Err(Refusal::TooLarge { kind, size, limit });
    }
    Engine::survey(kind, bytes)
}

/// Compiles the program as an upload would, without a cache, and tries it if that
/// was asked for.
async fn load(found: &mut Found, bytes: &[u8], plan: &Plan) -> anyhow::Result<()> {
    let engine = Engine::start(engine::Settings {
        sandboxes: 1,
        threads: 1,
        compiler: compiler::words(),
        ..engine::Settings::default()
    })?;
    let spinner = Spinner::start("compiling");
    let started_at = Instant::now();
    let loaded = engine.load(found.kind, bytes).await;
    let took = started_at.elapsed();
    drop(spinner);
    match loaded {
        Ok(program) => {
            found.judgement = Judgement::Accepted;
            if found.kind != Kind::Script {
                found.compiled_in = Some(took);
            }
            if let Some(event) = &plan.trial {
                let tried = trial::run(&engine, &program, &plan.subject, event).await?;
                found.trial = Some(tried);
            }
        }
        Err(Error::Refused { refusal }) => {
            found.judgement = Judgement::Refused(refusal.to_string());
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
