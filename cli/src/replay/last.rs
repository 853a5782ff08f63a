//! The newest executions of a hook, replayed one after the other.

use std::collections::BTreeMap;

use anyhow::bail;
use serde::Serialize;
use tenterhook_wire::{Execution, Replay, Usage};
use ureq::http::StatusCode;

use crate::client::{Client, Received, is_refused_with};
use crate::execution::{self, fuel, outcome, short};
use crate::table::{Column, OutputFormat, print, print_json, table};

/// Most executions that are replayed for one command.
const MOST: usize = 1_000;

/// The replays of a hook's newest executions.
#[derive(Serialize)]
pub(crate) struct HookReplays {
    executions: usize,
    same: usize,
    /// How many of each kind.
    others: BTreeMap<String, usize>,
    items: Vec<Item>,
}

/// One of them.
#[derive(Serialize)]
struct Item {
    execution: String,
    /// The replay; without one, why there is none.
    #[serde(flatten)]
    replay: Repeated,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Repeated {
    Replay(Box<Received<Replay>>),
    /// Why it cannot be replayed.
    Skipped(String),
}

const COLUMNS: [Column<Item>; 6] = [
    ("EXECUTION", |one| short(&one.execution).into()),
    ("REPLAY", Item::kind),
    ("WAS", |one| one.of(|replay| outcome(&replay.recorded))),
    ("IS", |one| one.of(|replay| outcome(&replay.replayed))),
    ("FUEL WAS", |one| one.of(|replay| fuel(&replay.recorded))),
    ("FUEL IS", |one| one.of(|replay| fuel(&replay.replayed))),
];

impl HookReplays {
    /// Replays the newest executions of a hook that have an attempt which has ended.
    pub(crate) fn replay(
        client: &Client,
        hook: &str,
        most: usize,
        program: Option<&[u8]>,
    ) -> anyhow::Result<Self> {
        let mut items = Vec::new();
        for one in ended(client, hook, most)? {
            let execution = one.head.id.clone();
            let replay = match client.replay(&execution, None, program) {
                Ok(replay) => Repeated::Replay(Box::new(replay)),
                // It was redriven, removed, nothing is recorded of it, or the server is
                // busy: the others are worth something without it.
                Err(error)
                    if is_refused_with(&error, StatusCode::CONFLICT)
                        || is_refused_with(&error, StatusCode::NOT_FOUND)
                        || is_refused_with(&error, StatusCode::SERVICE_UNAVAILABLE) =>
                {
                    Repeated::Skipped(error.to_string())
                }
                Err(error) => return Err(error),
            };
            items.push(Item { execution, replay });
        }
        if items.is_empty() {
            bail!("the hook {hook} has no execution that has ended");
        }
        Ok(Self::of(items))
    }

    fn of(items: Vec<Item>) -> Self {
        let mut others = BTreeMap::new();
        let mut same = 0;
        for item in &items {
            match item.kind() {
                kind if kind == SAME => same += 1,
                kind => *others.entry(kind).or_default() += 1,
            }
        }
        Self {
            executions: items.len(),
            same,
            others,
            items,
        }
    }

    /// Whether all of them are the same.
    pub(crate) fn is_same(&self) -> bool {
        self.same == self.executions
    }

    /// What the replays have used.
    pub(crate) fn usages(&self) -> Vec<Usage> {
        let replays = self.items.iter().filter_map(|one| match &one.replay {
            Repeated::Replay(replay) => replay.replayed.usage.clone(),
            Repeated::Skipped(_) => None,
        });
        replays.collect()
    }

    /// Prints those that differ, and how many there are of each kind.
    pub(crate) fn print(&self, format: OutputFormat) -> anyhow::Result<()> {
        if format.is_json() {
            return print_json(self);
        }
        let differing: Vec<&Item> = self.items.iter().filter(|one| one.kind() != SAME).collect();
        if !differing.is_empty() {
            print(&table::<Item, _>(&differing, &COLUMNS))?;
        }
        print(&format!("{}\n", self.summary()))
    }

    /// Such as `of 200: 197 same, 2 other verdict, 1 stopped at its memory limit`.
    fn summary(&self) -> String {
        let mut parts = vec![format!("{} same", self.same)];
        let others = self.others.iter();
        parts.extend(others.map(|(kind, count)| format!("{count} {kind}")));
        format!("of {}: {}", self.executions, parts.join(", "))
    }
}

const SAME: &str = "same";

impl Item {
    /// In what the replay differs first; how it ended, if that is it.
    fn kind(&self) -> String {
        let replay = match &self.replay {
            Repeated::Replay(replay) => replay,
            Repeated::Skipped(_) => return "cannot be replayed".into(),
        };
        match replay.differences.first() {
            None => SAME.into(),
            Some(first) if first.aspect == "outcome" => outcome(&replay.replayed),
            Some(first) => format!("other {}", first.aspect),
        }
    }

    fn of(&self, show: impl Fn(&Replay) -> String) -> String {
        match &self.replay {
            Repeated::Replay(replay) => show(replay),
            Repeated::Skipped(_) => String::new(),
        }
    }
}

/// Lists the newest executions of a hook whose latest attempt has an outcome.
pub(crate) fn ended(
    client: &Client,
    hook: &str,
    most: usize,
) -> anyhow::Result<Vec<Received<Execution>>> {
    let mut ended = Vec::new();
    let mut after = None;
    while ended.len() < most {
        let wanted = most - ended.len();
        let filter = [("hook", hook)];
        let page = client.page::<Execution>(execution::PATH, &filter, wanted, after.as_deref())?;
        let items = page.items.into_iter();
        ended.extend(items.filter(|one| one.latest.outcome.is_some()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(ended)
}

/// Parses how many executions are replayed.
pub(crate) fn parse(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=MOST).contains(&number) => Ok(number),
        _ => Err(format!("must be from 1 to {MOST}")),
    }
}
