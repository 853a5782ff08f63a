//! `tenterhook executions`: lists a server's executions, newest first, or the attempts of one.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;
use tenterhook_engine::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::client::{self, Client, text};
use crate::command;
use crate::execution::{self, outcome, short, target, verdict};
use crate::say::say;
use crate::table::{Column, OutputFormat, print, time};
use crate::{amount, quantity};

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
    /// At most this many.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    format: OutputFormat,
    #[command(flatten)]
    client: client::Flags,
}

const COLUMNS: [Column; 11] = [
    ("EXECUTION", |one| short(text(one, "id")).into()),
    ("TASK", |one| one["task_number"].to_string()),
    ("HOOK", |one| match &one["hook"]["number"] {
        Value::Null => String::new(),
        number => number.to_string(),
    }),
    ("NAME", |one| text(one, "name").into()),
    ("TARGET", target),
    ("STATE", |one| text(one, "state").into()),
    ("OUTCOME", outcome),
    ("VERDICT", verdict),
    ("FUEL", |one| amount::fuel(&one["usage"]["fuel"])),
    ("MEMORY", |one| {
        amount::bytes(&one["usage"]["memory_peak_bytes"])
    }),
    ("TIME", |one| amount::micros(&one["usage"]["wall_us"])),
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
    let mut items = Vec::new();
    let mut after: Option<String> = None;
    while items.len() < args.limit {
        let wanted = args.limit - items.len();
        let (some, next) =
            client.raw_page("/api/v1/executions", &filter, wanted, after.as_deref())?;
        let all = some.len();
        let some = some.into_iter().map(|raw| (json::nearest(&raw), raw));
        items.extend(some.filter(|(one, _)| is_since(one, since)));
        // Newest first: what follows one that is too old is older still.
        let too_old = items.len() < all;
        after = next.filter(|_| !too_old);
        if after.is_none() {
            break;
        }
    }
    if args.task.is_some() {
        // A task lists its executions in execution order.
        items.reverse();
    }
    items.truncate(args.limit);
    let (items, raw): (Vec<_>, Vec<_>) = items.into_iter().unzip();
    if args.format.is_json() {
        // As it was sent: a verdict may have numbers that no value can hold exactly.
        return print(&format!("{}\n", serde_json::to_string(&raw)?));
    }
    args.format
        .print_list(&items, &[&COLUMNS[..], &[CREATED]].concat())
}

/// Lists the attempts of one execution, the first one first.
fn attempts(client: &Client, execution: &str, format: OutputFormat) -> anyhow::Result<()> {
    let id = execution::find(client, execution)?;
    let execution = client.get(&client::path("/api/v1/executions", &id), &[])?;
    let attempts = execution["attempts"].as_array();
    format.print_list(attempts.map_or(&[], Vec::as_slice), &ATTEMPT_COLUMNS)?;
    if let Some(dropped) = execution["attempts_dropped"].as_u64() {
        say(format_args!(
            "{dropped} older attempts are not kept any more"
        ));
    }
    Ok(())
}

const ATTEMPT_COLUMNS: [Column; 8] = [
    ("ATTEMPT", |one| one["attempt"].to_string()),
    ("OUTCOME", outcome),
    ("VERDICT", verdict),
    ("FUEL", |one| amount::fuel(&one["usage"]["fuel"])),
    ("MEMORY", |one| {
        amount::bytes(&one["usage"]["memory_peak_bytes"])
    }),
    ("TIME", |one| amount::micros(&one["usage"]["wall_us"])),
    ("STARTED", |one| time(&one["started_at"])),
    ("ENDED", |one| time(&one["ended_at"])),
];

const CREATED: Column = ("CREATED", |one| time(&one["created_at"]));

fn is_since(execution: &Value, since: Option<OffsetDateTime>) -> bool {
    let created = OffsetDateTime::parse(text(execution, "created_at"), &Rfc3339);
    match (created, since) {
        (Ok(created), Some(since)) => created >= since,
        _ => true,
    }
}

/// Parses a time, or a duration before now.
fn parse_since(text: &str) -> anyhow::Result<OffsetDateTime> {
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
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

    #[test]
    fn since_is_a_time_or_so_long_ago() {
        let at = parse_since("2027-05-04T03:02:01Z").unwrap();
        assert!(is_since(
            &json!({"created_at": "2027-05-04T03:02:01.5Z"}),
            Some(at)
        ));
        assert!(!is_since(
            &json!({"created_at": "2027-05-04T03:02:00Z"}),
            Some(at)
        ));
        assert!(parse_since("1h").unwrap() < OffsetDateTime::now_utc());
        for text in ["", "1", "yesterday", "99999999999999999d"] {
            let error = parse_since(text).unwrap_err().to_string();
            assert!(error.contains("--since"), "{error}");
        }
    }
}
