//! `tenterhook executions`: lists a server's executions, newest first, or the attempts of one.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;
use tenterhook_wire::{Attempt, Execution};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::client::{self, Client, Received};
use crate::command;
use crate::execution::{self, PATH, duration, fuel, memory, outcome, short, target, verdict};
use crate::quantity;
use crate::say::say;
use crate::table::{Column, OutputFormat, time};

/// Lists executions of a running server, newest first, or the attempts of one of them.
///
/// Short ids are the ends of full ids; every command that takes an execution accepts them.
#[derive(Debug, Args)]
pub(crate) struct ExecutionsArgs {
    /// List the attempts of this execution, named by its id or the beginning or end of it.
    #[arg(value_name = "EXECUTION", conflicts_with_all = ["hook", "state", "task", "since"])]
    execution: Option<String>,
    /// Only those of this hook, by id or number.
    #[arg(long, value_name = "HOOK")]
    hook: Option<String>,
    /// Only those in this state: `WAITING`, `RUNNING`, `FINISHED`, `FAILED` or
    /// `CANCELED`.
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Only those of this task, by id or number.
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// Only those created since: a time such as `2027-05-04T03:02:01Z`, or a duration ago,
    /// such as `10min` or `2h`.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// At most this many, from 1.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = parse_limit)]
    limit: usize,
    #[command(flatten)]
    format: OutputFormat,
    #[command(flatten)]
    client: client::Flags,
}

const COLUMNS: [Column<Execution>; 12] = [
    ("EXECUTION", |one| short(&one.head.id).into()),
    ("TASK", |one| one.head.task_number.to_string()),
    ("HOOK", |one| match &one.head.hook {
        None => String::new(),
        Some(hook) => hook.number.to_string(),
    }),
    ("NAME", |one| one.head.name.clone()),
    ("TARGET", |one| target(&one.head)),
    ("STATE", |one| one.head.state.as_str().into()),
    ("OUTCOME", |one| outcome(&one.latest)),
    ("VERDICT", |one| verdict(&one.latest)),
    ("FUEL", |one| fuel(&one.latest)),
    ("MEMORY", |one| memory(&one.latest)),
    ("TIME", |one| duration(&one.latest)),
    ("CREATED", |one| time(&*one.head.created_at)),
];

const ATTEMPT_COLUMNS: [Column<Attempt>; 8] = [
    ("ATTEMPT", |one| one.attempt.to_string()),
    ("OUTCOME", outcome),
    ("VERDICT", verdict),
    ("FUEL", fuel),
    ("MEMORY", memory),
    ("TIME", duration),
    ("STARTED", |one| time(one.started_at.as_deref())),
    ("ENDED", |one| time(one.ended_at.as_deref())),
];

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &ExecutionsArgs, log: Option<&str>) -> ExitCode {
    command::run(log, || run(args))
}

fn run(args: &ExecutionsArgs) -> anyhow::Result<()> {
    let since = args.since.as_deref().map(parse_since).transpose()?;
    let client = Client::open(&args.client)?;
    if let Some(execution) = &args.execution {
        return attempts(&client, execution, args.format);
    }
    let mut filter = Vec::new();
    filter.extend(args.hook.as_deref().map(|hook| ("hook", hook)));
    filter.extend(args.state.as_deref().map(|state| ("state", state)));
    filter.extend(args.task.as_deref().map(|task| ("task", task)));
    let mut items: Vec<Received<Execution>> = Vec::new();
    let mut after: Option<String> = None;
    while items.len() < args.limit {
        let wanted = args.limit - items.len();
        let page = client.page::<Execution>(PATH, &filter, wanted, after.as_deref())?;
        let all = page.items.len();
        let before = items.len();
        items.extend(page.items.into_iter().filter(|one| is_since(one, since)));
        // Newest first: what follows one that is too old is older still.
        let too_old = items.len() - before < all;
        after = page.next.filter(|_| !too_old);
        if after.is_none() {
            break;
        }
    }
    if args.task.is_some() {
        // A task lists its executions in execution order.
        items.reverse();
    }
    items.truncate(args.limit);
    args.format.print_list(&items, &COLUMNS)
}

/// What is read of an execution to list its attempts, each of which is printed as it was
/// sent.
#[derive(Deserialize)]
struct Attempts {
    #[serde(default)]
    attempts: Vec<Received<Attempt>>,
    attempts_dropped: Option<u32>,
}

/// Lists the attempts of one execution, the first one first.
fn attempts(client: &Client, execution: &str, format: OutputFormat) -> anyhow::Result<()> {
    let id = execution::find(client, execution)?;
    let found: Attempts = client.get(&client::path(PATH, &id), &[])?;
    format.print_list(&found.attempts, &ATTEMPT_COLUMNS)?;
    if let Some(dropped) = found.attempts_dropped {
        say(format_args!("{dropped} older attempts are no longer kept"));
    }
    Ok(())
}

fn is_since(execution: &Execution, since: Option<OffsetDateTime>) -> bool {
    let created = OffsetDateTime::parse(&execution.head.created_at, &Rfc3339);
    match (created, since) {
        (Ok(created), Some(since)) => created >= since,
        _ => true,
    }
}

/// Parses the length of a list. None has length 0, as the server's have not.
fn parse_limit(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be from 1".to_owned()),
        Ok(limit) => Ok(limit),
        Err(error) => Err(error.to_string()),
    }
}

/// Parses a time, or a duration before now.
fn parse_since(text: &str) -> anyhow::Result<OffsetDateTime> {
    if let Some(time) = tenterhook_dispatch::parse_time(text) {
        return Ok(time);
    }
    let ago = quantity::parse_millis(text)
        .ok()
        .and_then(|millis| i64::try_from(millis).ok())
        .map(time::Duration::milliseconds);
    ago.and_then(|ago| tenterhook_dispatch::now().checked_sub(ago))
        .with_context(|| {
            format!(
                "`--since {}` is neither a time such as 2027-05-04T03:02:01Z nor a duration such as 10min",
                text.escape_debug()
            )
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn created_at(time: &str) -> Execution {
        let json = json!({
            "id": "a", "task": "b", "task_number": 1, "name": "guard", "digest": "",
            "state": "FINISHED", "failure_policy": "open", "dead": false, "created_at": time,
            "attempt": 1,
        });
        serde_json::from_str(&json.to_string()).unwrap()
    }

    #[test]
    fn an_attempt_is_printed_as_a_newer_server_has_sent_it() {
        let attempt = r#"{"attempt":2,"started_at":null,"joules":1.10}"#;
        let found = format!(r#"{{"id":"a","attempts":[{attempt}],"attempts_dropped":1}}"#);
        let found: Attempts = serde_json::from_str(&found).unwrap();
        assert_eq!(found.attempts[0].attempt, 2);
        let printed = serde_json::to_string(&found.attempts[0]).unwrap();
        assert_eq!(
            (printed.as_str(), found.attempts_dropped),
            (attempt, Some(1))
        );
    }

    #[test]
    fn since_is_a_time_or_a_duration_before_now() {
        let at = parse_since("2027-05-04T03:02:01Z").unwrap();
        assert!(is_since(&created_at("2027-05-04T03:02:01.5Z"), Some(at)));
        assert!(!is_since(&created_at("2027-05-04T03:02:00Z"), Some(at)));
        assert!(parse_since("1h").unwrap() < OffsetDateTime::now_utc());
        for text in [
            "",
            "1",
            "yesterday",
            "99999999999999999d",
            "2027-05-04 03:02:01Z",
        ] {
            let error = parse_since(text).unwrap_err().to_string();
            assert!(error.contains("--since"), "{error}");
        }
    }
}
