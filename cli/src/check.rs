//! `tenterhook check`: whether an upload of a file would be accepted, without a server,
//! and what one run of it uses.

mod result;
mod trial;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use tenterhook_engine::{self as engine, Engine, Error, GuestStack, Kind};

use self::result::{Acceptance, CheckResult};
use crate::faults::Faults;
use crate::local_event::LocalEvent;
use crate::logging::{self, LogFormat};
use crate::module_limit::ModuleLimitFlag;
use crate::say::{say, say_error};
use crate::spinner::Spinner;
use crate::stack_limit::StackLimitFlag;
use crate::subject::Subject;
use crate::table::{OutputFormat, print};
use crate::{compiler, paint, script_check};

/// Reports whether a script or module would be accepted, and if not, why.
///
/// Shows where a script cannot be parsed and which of its commands do not exist; a
/// server accepts it all the same.
///
/// Exit status: 0 when it would be accepted and can be parsed, 1 when not, whatever a trial
/// run shows.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The script, module or component; a folder with a `tenterhook.toml`, by default
    /// this one, stands for its program.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Run it once and show what that uses: with a sample of a project's event,
    /// otherwise without an event.
    #[arg(long)]
    trial: bool,
    /// The same for this event: a hook point's name, or a file with a complete event, as
    /// `tenterhook event` prints it.
    #[arg(long, value_name = "NAME|FILE")]
    event: Option<String>,
    #[command(flatten)]
    max_module: ModuleLimitFlag,
    #[command(flatten)]
    stack: StackLimitFlag,
    #[command(flatten)]
    format: OutputFormat,
}

/// The checked arguments.
struct Plan {
    subject: Subject,
    module_bytes: u64,
    stack: GuestStack,
    trial: Option<LocalEvent>,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &CheckArgs, log: Option<&str>) -> ExitCode {
    let mut faults = Faults::default();
    let filter = faults.check("--log", logging::parse_filter(log, "error"));
    let module_bytes = args.max_module.read(&mut faults);
    let stack = args.stack.read(&mut faults);
    let subject = faults.check("FILE", Subject::of(args.file.as_deref()));
    let event = faults.check("--event", LocalEvent::new(args.event.clone(), None));
    let (Some(filter), Some(module_bytes), Some(stack), Some(subject), Some(event)) =
        (filter, module_bytes, stack, subject, event)
    else {
        say(faults);
        return ExitCode::from(2);
    };
    logging::start(LogFormat::Text, filter);
    let trial = match event {
        LocalEvent::None => args.trial.then(|| subject.event()),
        event => Some(event),
    };
    let plan = Plan {
        subject,
        module_bytes,
        stack,
        trial,
    };
    let accepted = check(&plan).and_then(|result| {
        if args.format.is_json() {
            print(&result.json())?;
        } else {
            print(&result.page(paint::stdout()))?;
        }
        Ok(result.is_accepted() && result.is_parsed())
    });
    match accepted {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say_error(&error);
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn check(plan: &Plan) -> anyhow::Result<CheckResult> {
    let file = plan.subject.read()?;
    let mut result = CheckResult::new(file.kind(), file.size, file.digest());
    match file.survey(plan.module_bytes) {
        Err(refusal) => result.acceptance = Acceptance::Refused(refusal.to_string()),
        Ok(survey) => {
            result.survey = Some(survey);
            load(&mut result, &file.bytes, plan).await?;
        }
    }
    Ok(result)
}

/// Compiles the program as an upload would, without a cache, and runs it once if that was
/// asked for.
async fn load(result: &mut CheckResult, bytes: &[u8], plan: &Plan) -> anyhow::Result<()> {
    let engine = Engine::start(engine::Settings {
        sandboxes: 1,
        threads: 1,
        stack: plan.stack,
        compiler: compiler::command_line(),
        ..engine::Settings::default()
    })?;
    let spinner = Spinner::start("compiling");
    let started_at = Instant::now();
    let loaded = engine.load(result.kind, bytes).await;
    let took = started_at.elapsed();
    drop(spinner);
    match loaded {
        Ok(program) => {
            result.acceptance = Acceptance::Accepted;
            if result.kind != Kind::Script {
                result.compiled_in = Some(took);
            }
            result.diagnostics = script_check::diagnose(&engine, result.kind, bytes).await?;
            if let Some(event) = &plan.trial {
                let trial = trial::run(&engine, &program, &plan.subject, event).await?;
                result.trial = Some(trial);
            }
        }
        Err(Error::Refused { refusal }) => {
            result.acceptance = Acceptance::Refused(refusal.to_string());
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
