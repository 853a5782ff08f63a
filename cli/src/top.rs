//! `tenterhook top`: shows what is running on a server, and what it has used so far.

use std::collections::HashMap;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

use crate::client::{self, Client, text};
use crate::command;
use crate::execution::{short, target};
use crate::table::{Column, OutputFormat, print, table};
use crate::{amount, interrupt, quantity};

/// Alternate screen, hidden cursor, no line wrap.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";

/// Restores the terminal.
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// Most executions that are requested.
const MOST: usize = 1_000;

/// Shortest polling interval, in milliseconds.
const INTERVAL_MIN_MS: u64 = 200;

/// Shows what is running on a server, with fuel and memory used so far.
///
/// On a terminal it runs until Ctrl-C; elsewhere it prints once. Fuel is sampled at host
/// calls and at every millisecond's tick: a loop that calls no function has burnt more
/// than is shown.
#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// Print once, on a terminal too.
    #[arg(long)]
    once: bool,
    /// Time between two updates, such as `2s`; at least 200ms.
    #[arg(long, value_name = "TIME", default_value = "1s")]
    interval: String,
    /// At most this many executions, those that burn most fuel first.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    format: OutputFormat,
    #[command(flatten)]
    client: client::Flags,
}

const RATE: &str = "FUEL/S";

const COLUMNS: [Column; 9] = [
    ("EXECUTION", |one| short(text(one, "id")).into()),
    ("TASK", |one| one["task_number"].to_string()),
    ("NAME", |one| text(one, "name").into()),
    ("TARGET", target),
    ("ATTEMPT", |one| one["attempt"].to_string()),
    ("FUEL", |one| amount::fuel(&one["usage"]["fuel"])),
    (RATE, |one| amount::fuel(&one["fuel_per_second"])),
    ("MEMORY", |one| {
        amount::bytes(&one["usage"]["memory_peak_bytes"])
    }),
    ("TIME", |one| amount::micros(&one["usage"]["wall_us"])),
];

/// Runs the command and returns the exit status.
pub(crate) fn main(args: &TopArgs, log: Option<&str>) -> ExitCode {
    command::run(log, || run(args))
}

fn run(args: &TopArgs) -> anyhow::Result<()> {
    let interval = quantity::parse_millis(&args.interval)
        .ok()
        .filter(|millis| *millis >= INTERVAL_MIN_MS)
        .map(Duration::from_millis)
        .with_context(|| {
            format!(
                "`--interval {}` must be a time from 200ms, such as 1s",
                args.interval.escape_debug()
            )
        })?;
    let client = Client::open(&args.client)?;
    if args.once || args.format.is_json() || !io::stdout().is_terminal() {
        let mut items = running(&client)?;
        items.truncate(args.limit);
        // A rate needs two polls.
        let mut columns = COLUMNS.to_vec();
        columns.retain(|(head, _)| *head != RATE);
        return args.format.print_list(&items, &columns);
    }
    // Before the screen is switched, so that an error stays visible.
    let mut items = running(&client)?;
    interrupt::guard(LEAVE)?;
    print(ENTER)?;
    let mut rates = Rates::default();
    let error = loop {
        rates.note(&mut items);
        if let Err(error) = print(&frame(items, args.limit)) {
            break error;
        }
        std::thread::sleep(interval);
        items = match running(&client) {
            Ok(items) => items,
            Err(error) => break error,
        };
    };
    print(LEAVE)?;
    Err(error)
}

fn running(client: &Client) -> anyhow::Result<Vec<Value>> {
    let (mut items, _) = client.page("/api/v1/executions", &[("state", "RUNNING")], MOST, None)?;
    items.retain(|one| text(one, "state") == "RUNNING");
    items.sort_by_key(|one| std::cmp::Reverse(one["usage"]["fuel"].as_u64()));
    Ok(items)
}

/// Formats one frame, which overwrites the previous one.
fn frame(mut items: Vec<Value>, limit: usize) -> String {
    let all = items.len();
    let noun = if all == 1 {
        "execution runs"
    } else {
        "executions run"
    };
    let mut text = format!("{all} {noun}; Ctrl-C quits\n\n");
    items.sort_by_key(|one| std::cmp::Reverse(one["fuel_per_second"].as_u64()));
    items.truncate(limit);
    if all > 0 {
        text += &table(&items, &COLUMNS);
    }
    if all > limit {
        text += &format!("and {} more\n", all - limit);
    }
    format!("\x1b[H{}\x1b[J", text.replace('\n', "\x1b[K\n"))
}

/// How fast each execution burns its fuel, between two polls.
#[derive(Default)]
struct Rates {
    /// Time and fuel of the last poll, by id and attempt.
    seen: HashMap<(String, u64), (Instant, u64)>,
}

impl Rates {
    /// Adds the rate to each execution that was seen before, and forgets the others.
    fn note(&mut self, items: &mut [Value]) {
        let now = Instant::now();
        let mut seen = HashMap::new();
        for one in items {
            let key = (
                text(one, "id").to_owned(),
                one["attempt"].as_u64().unwrap_or(0),
            );
            let Some(fuel) = one["usage"]["fuel"].as_u64() else {
                continue;
            };
            if let Some((at, before)) = self.seen.get(&key) {
                let millis = u64::try_from((now - *at).as_millis())
                    .unwrap_or(u64::MAX)
                    .max(1);
                let burnt = fuel.saturating_sub(*before);
                one["fuel_per_second"] = (burnt.saturating_mul(1_000) / millis).into();
            }
            seen.insert(key, (now, fuel));
        }
        self.seen = seen;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(fuel: u64) -> Value {
        json!({"id": "a-b", "attempt": 1, "name": "x\u{1b}", "usage": {"fuel": fuel}})
    }

    #[test]
    fn a_picture_is_bounded_and_harmless() {
        let shown = frame(vec![one(5), one(6), one(7)], 2);
        assert!(shown.starts_with("\x1b[H3 executions run"), "{shown:?}");
        assert!(shown.contains("and 1 more"), "{shown:?}");
        assert!(shown.contains("x^["), "{shown:?}");
        assert_eq!(
            shown.matches("  b").count() + shown.matches("\nb").count(),
            2
        );
    }

    #[test]
    fn a_rate_is_known_from_the_second_look_on() {
        let mut rates = Rates::default();
        let mut items = [one(5)];
        rates.note(&mut items);
        assert_eq!(items[0]["fuel_per_second"], Value::Null);
        let mut items = [one(1_000_000_000)];
        rates.note(&mut items);
        assert!(items[0]["fuel_per_second"].as_u64() > Some(0));
        rates.note(&mut []);
        assert!(rates.seen.is_empty());
    }
}
