//! `tenterhook logs`: what hooks printed on a server, or print while one looks on.

mod lines;
mod show;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;

use self::show::{Shower, Shown, Whose};
use self::watch::Watch;
use crate::client::{self, Client, Piece, text};
use crate::command;
use crate::table::Form;
use crate::{execution, interrupt};
use clap::Args;

/// Prints what an execution printed, or the newest ones of a hook, of a task or of all.
///
/// Structured log lines (JSON objects with `level` and `message`) are drawn; with
/// --json, every line is an object.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what"))]
pub(crate) struct Raw {
    /// The execution, by its id or a part of it from its beginning or its end.
    #[arg(value_name = "EXECUTION", group = "what")]
    execution: Option<String>,
    /// The executions of this task, by id or number.
    #[arg(long, value_name = "TASK", group = "what")]
    task: Option<String>,
    /// The executions of this hook, by id or number.
    #[arg(long, value_name = "HOOK", group = "what")]
    hook: Option<String>,
    /// Go on with what is printed from now on: of one execution or of a task until it
    /// is over, else until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// At most so many executions that are over already.
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
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
    let client = Arc::new(Client::open(&raw.client)?);
    if raw.follow {
        interrupt::guard("")?;
    }
    if let Some(said) = &raw.execution {
        let shower = Shower::alone(raw.form);
        let id = execution::find(&client, said)?;
        match raw.follow {
            true => follow_to_the_end(&client, &shower, &id)?,
            false => drop(over(&client, &shower, &id)?),
        }
        return Ok(());
    }
    let shower = Arc::new(Shower::several(raw.form));
    let mut filter = Vec::new();
    filter.extend(raw.task.clone().map(|task| ("task", task)));
    filter.extend(raw.hook.clone().map(|hook| ("hook", hook)));
    let query: Vec<_> = filter
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    if raw.follow {
        let watch = Watch::new(Arc::clone(&client), Arc::clone(&shower), filter.clone());
        return watch.run(raw.limit, raw.task.as_deref());
    }
    let (mut newest, _) = client.page("/api/v1/executions", &query, raw.limit, None)?;
    // Newest first, but for those of one task, which come in their order.
    if raw.task.is_none() {
        newest.reverse();
    }
    for one in newest.iter().filter(|one| one["attempt"] != 0) {
        if over(&client, &shower, text(one, "id"))? == Shown::Unwanted {
            break;
        }
    }
    Ok(())
}

/// Shows what an execution has printed by now.
fn over(client: &Client, shower: &Shower, id: &str) -> anyhow::Result<Shown> {
    let execution = client.get(&client::path("/api/v1/executions", id), &[])?;
    shower.whole(&Whose::of(&execution), &execution)
}

/// Shows what an execution prints, attempt by attempt, until it is over.
fn follow_to_the_end(client: &Client, shower: &Shower, id: &str) -> anyhow::Result<()> {
    let mut shown = 0;
    loop {
        let execution = client.get(&client::path("/api/v1/executions", id), &[])?;
        let attempt = execution["attempt"].as_u64().unwrap_or(0);
        if attempt > shown {
            shown = follow(client, shower, id)?.max(attempt);
        } else if watch::is_over(&execution) {
            return Ok(());
        } else {
            // It waits for its turn, or to be tried again.
            std::thread::sleep(watch::INTERVAL);
        }
    }
}

/// Shows what an execution prints until its attempt is over; answers with its number.
fn follow(client: &Client, shower: &Shower, id: &str) -> anyhow::Result<u64> {
    let execution = client.get(&client::path("/api/v1/executions", id), &[])?;
    let mut writing = shower.begin(Whose::of(&execution));
    let mut pieces = client.follow(id)?;
    while let Some(piece) = pieces.next()? {
        let shown = match piece {
            Piece::Stdout(bytes) => writing.write("stdout", &bytes)?,
            Piece::Stderr(bytes) => writing.write("stderr", &bytes)?,
            Piece::End(end) => {
                writing.end(&end)?;
                return Ok(execution["attempt"].as_u64().unwrap_or(0));
            }
        };
        if shown == Shown::Unwanted {
            std::process::exit(0);
        }
    }
    anyhow::bail!(
        "the server broke off; is it being stopped? `tenterhook logs {}` shows the rest",
        execution::short(id)
    )
}
