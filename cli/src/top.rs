//! `tenterhook top`: shows what is running on a server, and what it has used so far.

use std::collections::HashMap;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use tenterhook_wire::{Execution, List, State};

use crate::client::{self, Client, Received};
use crate::command;
use crate::execution::{PATH, duration, fuel, memory, short, target};
use crate::table::{Column, OutputFormat, print, print_json, table};
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

/// An execution that runs, and how fast it burns its fuel.
struct Running {
    execution: Received<Execution>,
    fuel_per_second: Option<u64>,
}

impl Running {
    fn fuel(&self) -> Option<u64> {
        let usage = self.execution.latest.usage.as_ref();
        usage.map(|usage| usage.fuel)
    }
}

const COLUMNS: [Column<Running>; 9] = [
    ("EXECUTION", |one| short(&one.execution.head.id).into()),
    ("TASK", |one| one.execution.head.task_number.to_string()),
    ("NAME", |one| one.execution.head.name.clone()),
    ("TARGET", |one| target(&one.execution.head)),
    ("ATTEMPT", |one| one.execution.latest.attempt.to_string()),
    ("FUEL", |one| fuel(&one.execution.latest)),
    (RATE, |one| {
        one.fuel_per_second.map(amount::count).unwrap_or_default()
    }),
    ("MEMORY", |one| memory(&one.execution.latest)),
    ("TIME", |one| duration(&one.execution.latest)),
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
        if args.format.is_json() {
            let items: Vec<_> = items.iter().map(|one| &one.execution).collect();
            return print_json(&items);
        }
        return print(&table(&items, &columns));
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

fn running(client: &Client) -> anyhow::Result<Vec<Running>> {
    let running = [("state", State::Running.as_str())];
    let page: List<Received<Execution>> = client.page(PATH, &running, MOST, None)?;
    let items = page.items.into_iter();
    let items = items.filter(|one| one.head.state == State::Running);
    let mut items: Vec<_> = items
        .map(|execution| Running {
            execution,
            fuel_per_second: None,
        })
        .collect();
    items.sort_by_key(|one| std::cmp::Reverse(one.fuel()));
    Ok(items)
}

/// Formats one frame, which overwrites the previous one.
fn frame(mut items: Vec<Running>, limit: usize) -> String {
    let all = items.len();
    let noun = if all == 1 {
        "execution runs"
    } else {
        "executions run"
    };
    let mut text = format!("{all} {noun}; Ctrl-C quits\n\n");
    items.sort_by_key(|one| std::cmp::Reverse(one.fuel_per_second));
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
    seen: HashMap<(String, u32), (Instant, u64)>,
}

impl Rates {
    /// Adds the rate to each execution that was seen before, and forgets the others.
    fn note(&mut self, items: &mut [Running]) {
        let now = Instant::now();
        let mut seen = HashMap::new();
        for one in items {
            let execution = &one.execution;
            let key = (execution.head.id.clone(), execution.latest.attempt);
            let Some(fuel) = one.fuel() else {
                continue;
            };
            if let Some((at, before)) = self.seen.get(&key) {
                let millis = u64::try_from((now - *at).as_millis())
                    .unwrap_or(u64::MAX)
                    .max(1);
                let burnt = fuel.saturating_sub(*before);
                one.fuel_per_second = Some(burnt.saturating_mul(1_000) / millis);
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

    fn one(fuel: u64) -> Running {
        let json = json!({
            "id": "a-b", "task": "c", "task_number": 1, "name": "x\u{1b}", "digest": "",
            "state": "RUNNING", "failure_policy": "open", "dead": false, "created_at": "",
            "attempt": 1, "usage": {"fuel": fuel, "memory_peak_bytes": 0, "wall_us": 0},
        });
        Running {
            execution: serde_json::from_str(&json.to_string()).unwrap(),
            fuel_per_second: None,
        }
    }

    #[test]
    fn a_screen_is_bounded_and_harmless() {
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
    fn a_rate_is_known_from_the_second_sample_on() {
        let mut rates = Rates::default();
        let mut items = [one(5)];
        rates.note(&mut items);
        assert_eq!(items[0].fuel_per_second, None);
        let mut items = [one(1_000_000_000)];
        rates.note(&mut items);
        assert!(items[0].fuel_per_second > Some(0));
        rates.note(&mut []);
        assert!(rates.seen.is_empty());
    }
}
