//! `tenterhook cancel`: cancels what is running or waiting on a server.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use crate::client::{self, Client, text};
use crate::command;
use crate::execution;
use crate::neutral;
use crate::table::{OutputFormat, print};

/// Cancels an execution, or all executions of a task.
///
/// What is running is stopped at once; what has finished stays as it is.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(crate) struct CancelArgs {
    /// The execution, by its id or the beginning or end of it.
    #[arg(value_name = "EXECUTION", group = "what")]
    execution: Option<String>,
    /// The task, by id or number.
    #[arg(long, value_name = "TASK", group = "what")]
    task: Option<String>,
    #[command(flatten)]
    format: OutputFormat,
    #[command(flatten)]
    client: client::Flags,
}

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &CancelArgs, log: Option<&str>) -> ExitCode {
    command::run(log, || run(args))
}

fn run(args: &CancelArgs) -> anyhow::Result<()> {
    let client = Client::open(&args.client)?;
    let (noun, name, path) = match (&args.execution, &args.task) {
        (Some(execution), _) => {
            let id = execution::find(&client, execution)?;
            let path = format!("/api/v1/executions/{id}");
            ("execution", execution::short(&id).to_owned(), path)
        }
        (None, Some(task)) => ("task", task.clone(), client::path("/api/v1/tasks", task)),
        (None, None) => anyhow::bail!("give an execution, or a task with --task"),
    };
    let answer = client.post_empty(&format!("{path}/cancel"))?;
    if args.format.is_json() {
        return print(&format!("{answer}\n"));
    }
    let message = match is_over(&answer) {
        true => format!(
            "the {noun} {name} has already finished: {}",
            text(&answer, "state")
        ),
        false => format!("the {noun} {name} is being cancelled"),
    };
    print(&format!("{}\n", neutral::line(&message)))
}

fn is_over(answer: &Value) -> bool {
    matches!(text(answer, "state"), "FINISHED" | "FAILED" | "CANCELED")
}
