//! `tenterhook cancel`: ends what runs or waits on a server.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use crate::client::{self, Client, text};
use crate::command;
use crate::execution;
use crate::neutral;
use crate::table::{Form, print};

/// Cancels an execution, or all those of a task.
///
/// What runs is stopped at once; what is over stays as it is.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(crate) struct Raw {
    /// The execution, by its id or a part of it from its beginning or its end.
    #[arg(value_name = "EXECUTION", group = "what")]
    execution: Option<String>,
    /// The task, by id or number.
    #[arg(long, value_name = "TASK", group = "what")]
    task: Option<String>,
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
    let client = Client::open(&raw.client)?;
    let (noun, name, path) = match (&raw.execution, &raw.task) {
        (Some(said), _) => {
            let id = execution::find(&client, said)?;
            let path = format!("/api/v1/executions/{id}");
            ("execution", execution::short(&id).to_owned(), path)
        }
        (None, Some(task)) => ("task", task.clone(), client::path("/api/v1/tasks", task)),
        (None, None) => anyhow::bail!("give an execution, or a task with --task"),
    };
    let answer = client.ask(&format!("{path}/cancel"))?;
    if raw.form.is_json() {
        return print(&format!("{answer}\n"));
    }
    let told = match is_over(&answer) {
        true => format!("the {noun} {name} is over: {}", text(&answer, "state")),
        false => format!("the {noun} {name} is being cancelled"),
    };
    print(&format!("{}\n", neutral::line(&told)))
}

fn is_over(answer: &Value) -> bool {
    matches!(text(answer, "state"), "FINISHED" | "FAILED" | "CANCELED")
}
