//! `tenterhook push`: makes a server have what the project in this folder says.
//!
//! What is there is read, compared, shown and then changed: the source first, then
//! the hook. Pushing the same again does nothing.

mod diff;
mod hook;
mod source;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use self::hook::HookStep;
use self::source::SourceStep;
use crate::client::{self, Client};
use crate::command;
use crate::paint;
use crate::project::Project;
use crate::table::{Form, print};

/// Creates or updates the source and the hook of this project on a running server.
///
/// The source is found by the project's name, the hook by source and event. What
/// differs is shown before it is changed. Members of the hook that the manifest
/// leaves out stay as they are.
#[derive(Debug, Args)]
pub(crate) struct Raw {
    /// The project's folder.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    client: client::Flags,
}

/// Runs the command; answers the status of the process.
pub(crate) fn main(raw: &Raw, log: Option<&str>) -> ExitCode {
    command::run(log, || run(raw))
}

fn run(raw: &Raw) -> anyhow::Result<()> {
    let project = Project::open(&raw.folder)?;
    let bytes = project.read_program()?;
    let client = Client::open(&raw.client)?;
    let manifest = &project.manifest;
    let source = SourceStep::plan(&client, &manifest.name, &bytes)?;
    let hook = HookStep::plan(&client, manifest, source.current())?;
    let paint = paint::stdout();
    if !raw.form.is_json() {
        print(&source.told(&client, &bytes, paint)?)?;
        print(&hook.told(manifest, paint))?;
    }
    let mut answer = json!({
        "source": source.as_json(),
        "hook": hook.as_json(),
        "dry_run": raw.dry_run,
    });
    if !raw.dry_run {
        let id = source.carry_out(&client, &bytes)?;
        answer["source"]["id"] = id.as_str().into();
        answer["hook"]["id"] = hook.carry_out(&client, manifest, &id)?.into();
    }
    if raw.form.is_json() {
        return print(&format!("{answer}\n"));
    }
    print(&ending(&source, &hook, raw.dry_run))
}

fn ending(source: &SourceStep, hook: &HookStep, dry_run: bool) -> String {
    let told = match (source.changes() || hook.changes(), dry_run) {
        (false, _) => "up to date",
        (true, true) => "nothing was changed: this was a dry run",
        (true, false) => "pushed",
    };
    format!("{told}\n")
}

/// A digest in short.
fn short_digest(digest: &Value) -> String {
    digest
        .as_str()
        .unwrap_or_default()
        .chars()
        .take(19)
        .collect()
}
