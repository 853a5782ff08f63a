//! `tenterhook cancel`: cancels what is running or waiting on a server.

use std::process::ExitCode;

use clap::Args;
use tenterhook_wire::{Execution, Task};

use crate::client::{self, Client, Received};
use crate::command;
use crate::execution;
use crate::neutral;
use crate::table::{OutputFormat, print, print_json};

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
    let (name, state) = match (&args.execution, &args.task) {
        (Some(execution), _) => {
            let id = execution::find(&client, execution)?;
            let path = format!("{}/{id}/cancel", execution::PATH);
            let cancelled: Received<Execution> = client.post_empty(&path)?;
            if args.format.is_json() {
                return print_json(&cancelled);
            }
            (
                format!("execution {}", execution::short(&id)),
                cancelled.head.state,
            )
        }
        (None, Some(task)) => {
            let path = format!("{}/cancel", client::path("/api/v1/tasks", task));
            let cancelled: Received<Task> = client.post_empty(&path)?;
            if args.format.is_json() {
                return print_json(&cancelled);
            }
            (format!("task {task}"), cancelled.state)
        }
        (None, None) => anyhow::bail!("give an execution, or a task with --task"),
    };
    let message = match state.is_over() {
        true => format!("the {name} has already finished: {}", state.as_str()),
        false => format!("the {name} is being cancelled"),
    };
    print(&format!("{}\n", neutral::line(&message)))
}
