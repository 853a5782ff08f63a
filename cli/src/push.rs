//! `tenterhook push`: brings a server's source and hook in line with a project.
//!
//! The current state is read and compared, differences are shown and then applied: the
//! source first, then the hook. Pushing the same again does nothing.

mod diff;
mod hook;
mod source;
mod warnings;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value, json};

use self::hook::HookStep;
use self::source::SourceStep;
use crate::client::{self, Client};
use crate::command;
use crate::paint;
use crate::project::Project;
use crate::replay::last::{self, HookReplays};
use crate::table::{OutputFormat, print, print_json};

/// Creates or updates the source and the hook of this project on a running server.
///
/// The source is found by the project's name, the hook by source and event. Differences
/// are shown before they are applied, and so is where a script cannot be parsed and which of
/// its commands do not exist. Members of the hook that the manifest leaves out stay as they
/// are.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// The project's folder.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Show also how the hook's newest N executions would have gone with the new program,
    /// and change nothing. The token must be an admin's.
    #[arg(long, value_name = "N", value_parser = last::parse)]
    shadow: Option<usize>,
    #[command(flatten)]
    format: OutputFormat,
    #[command(flatten)]
    client: client::Flags,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &PushArgs, log: Option<&str>) -> ExitCode {
    command::run(log, || run(args))
}

fn run(args: &PushArgs) -> anyhow::Result<()> {
    let project = Project::open(&args.folder)?;
    let bytes = project.read_program()?.whole(&project.program())?;
    let client = Client::open(&args.client)?;
    let manifest = &project.manifest;
    let source = SourceStep::plan(&client, &manifest.name, &bytes)?;
    let hook = HookStep::plan(&client, manifest, source.current())?;
    let paint = paint::stdout();
    if !args.format.is_json() {
        print(&source.describe(&client, &bytes, paint)?)?;
        print(&hook.describe(manifest, paint))?;
    }
    let warnings = warnings::find(&bytes);
    if !args.format.is_json() {
        print(&warnings::describe(&warnings, paint))?;
    }
    let (mut source_json, mut hook_json) = (source.as_json(), hook.as_json());
    source_json.insert("warnings".into(), json!(warnings));
    let dry_run = args.dry_run || args.shadow.is_some();
    let shadow = args.shadow.map(|most| {
        let current = hook.current().with_context(|| {
            format!(
                "the server has no hook of {} yet, so there is nothing to replay",
                manifest.name
            )
        })?;
        HookReplays::replay(&client, &current.number.to_string(), most, Some(&bytes))
    });
    let shadow = shadow.transpose()?;
    if !dry_run {
        let id = source.apply(&client, &bytes)?.id;
        hook_json.insert("id".into(), hook.apply(&client, manifest, &id)?.into());
        source_json.insert("id".into(), id.into());
    }
    if args.format.is_json() {
        let mut pushed = json!({"source": source_json, "hook": hook_json, "dry_run": dry_run});
        if let Some(shadow) = &shadow {
            pushed["shadow"] = json!(shadow);
        }
        return print_json(&pushed);
    }
    if let Some(shadow) = &shadow {
        shadow.print(args.format)?;
    }
    print(&summary(&source, &hook, dry_run))
}

fn summary(source: &SourceStep, hook: &HookStep, dry_run: bool) -> String {
    let line = match (source.changes() || hook.changes(), dry_run) {
        (false, _) => "up to date",
        (true, true) => "nothing was changed: this was a dry run",
        (true, false) => "pushed",
    };
    format!("{line}\n")
}

/// Shortens a digest.
fn short_digest(digest: &str) -> String {
    digest.chars().take(19).collect()
}

/// The members of a value that was built as an object.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
