//! Watching for executions: each attempt is shown once, while it runs or after.
//!
//! What runs is followed by a thread of its own, a bounded number at a time; the
//! others wait, and lose nothing, since the server tells everything from the beginning.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use serde_json::Value;

use super::show::{Shower, Shown};
use super::{follow, over};
use crate::client::{self, Client, text};

/// Time between two looks.
pub(super) const INTERVAL: Duration = Duration::from_millis(500);

/// Executions that are followed at once.
const FOLLOWED: usize = 16;

/// Executions that are asked for at once.
const PAGE: usize = 200;

/// Pages that are read between two looks, at most.
const PAGES: usize = 20;

/// Executions that are remembered; the oldest are forgotten first, and not shown again.
const REMEMBERED: usize = 20_000;

/// What is watched, and what of it was shown.
pub(super) struct Watch {
    client: Arc<Client>,
    shower: Arc<Shower>,
    filter: Vec<(&'static str, String)>,
    /// The attempts that were shown, or are being, and whether it was over then.
    seen: BTreeMap<String, Seen>,
    /// What is not newer than this is only shown if it is in `seen`.
    begins_after: String,
    followed: usize,
    told: (mpsc::Sender<Ended>, mpsc::Receiver<Ended>),
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    attempt: u64,
    over: bool,
    /// A thread shows it now.
    followed: bool,
}

/// A thread has ended.
struct Ended {
    id: String,
    /// The attempt that it has shown, or why it could not.
    attempt: anyhow::Result<u64>,
}

impl Watch {
    pub(super) fn new(
        client: Arc<Client>,
        shower: Arc<Shower>,
        filter: Vec<(&'static str, String)>,
    ) -> Self {
        Self {
            client,
            shower,
            filter,
            seen: BTreeMap::new(),
            begins_after: String::new(),
            followed: 0,
            told: mpsc::channel(),
        }
    }

    /// Shows the newest `limit` that are over, and whatever follows: of a task until
    /// it is over, else until somebody ends it.
    pub(super) fn run(mut self, limit: usize, task: Option<&str>) -> anyhow::Result<()> {
        let (mut newest, _) = self.page(None)?;
        if task.is_some() {
            newest.reverse();
        }
        let is_over = |one: &&Value| is_over(one);
        // What is beyond a full page is not shown at all.
        let limit = match newest.len() < PAGE {
            true => limit,
            false => limit.min(PAGE - 1),
        };
        if let Some(oldest) = newest.iter().filter(is_over).nth(limit) {
            self.begins_after = text(oldest, "id").to_owned();
        }
        loop {
            // Asked before: what ends in between is shown by the next look.
            let ends = match task {
                Some(task) => self.task_is_over(task)?,
                None => false,
            };
            if self.look()? == Shown::Unwanted {
                return Ok(());
            }
            if ends && self.followed == 0 {
                return Ok(());
            }
            self.rest()?;
        }
    }

    /// Waits for the next look, or for a thread that ends.
    fn rest(&mut self) -> anyhow::Result<()> {
        let mut ended = self.told.1.recv_timeout(INTERVAL).ok();
        while let Some(Ended { id, attempt }) = ended {
            self.followed -= 1;
            if let Some(seen) = self.seen.get_mut(&id) {
                // The next one may have begun before the thread did.
                seen.attempt = seen.attempt.max(attempt?);
                seen.followed = false;
            }
            ended = self.told.1.try_recv().ok();
        }
        Ok(())
    }

    fn task_is_over(&self, task: &str) -> anyhow::Result<bool> {
        let task = self.client.get(&client::path("/api/v1/tasks", task), &[])?;
        Ok(is_over(&task))
    }

    /// Looks once: shows what is new.
    fn look(&mut self) -> anyhow::Result<Shown> {
        let mut found = self.news()?;
        // Oldest first, as they would have been seen.
        found.sort_by(|one, other| text(one, "id").cmp(text(other, "id")));
        for one in &found {
            if self.show(one)? == Shown::Unwanted {
                return Ok(Shown::Unwanted);
            }
        }
        while self.seen.len() > REMEMBERED {
            if let Some((id, _)) = self.seen.pop_first() {
                self.begins_after = id;
            }
        }
        Ok(Shown::Wanted)
    }

    /// The executions that are not known to be over, newer ones first.
    fn news(&self) -> anyhow::Result<Vec<Value>> {
        // Pages are read down to the oldest that may still change.
        let mut open = self.seen.iter().filter(|(_, seen)| !seen.over);
        let oldest_open = open.next().map(|(id, _)| id);
        let newest_seen = self.seen.last_key_value().map(|(id, _)| id);
        let down_to = oldest_open.or(newest_seen).unwrap_or(&self.begins_after);
        let mut found = Vec::new();
        let mut after = None;
        for _ in 0..PAGES {
            let (some, next) = self.page(after.as_deref())?;
            let all_new = some.iter().all(|one| text(one, "id") > down_to.as_str());
            found.extend(some);
            after = next;
            if after.is_none() || !all_new {
                break;
            }
        }
        found.retain(|one| text(one, "id") > self.begins_after.as_str());
        Ok(found)
    }

    fn page(&self, after: Option<&str>) -> anyhow::Result<(Vec<Value>, Option<String>)> {
        let query: Vec<_> = self
            .filter
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        self.client.page("/api/v1/executions", &query, PAGE, after)
    }

    /// Shows an attempt that was not shown yet.
    fn show(&mut self, execution: &Value) -> anyhow::Result<Shown> {
        let id = text(execution, "id").to_owned();
        let attempt = execution["attempt"].as_u64().unwrap_or(0);
        let seen = self.seen.entry(id.clone()).or_default();
        let over_now = is_over(execution);
        if attempt <= seen.attempt || seen.followed {
            seen.over = over_now;
            return Ok(Shown::Wanted);
        }
        let runs = text(execution, "state") == "RUNNING";
        if runs && self.followed == FOLLOWED {
            return Ok(Shown::Wanted);
        }
        *seen = Seen {
            attempt,
            over: over_now,
            followed: runs,
        };
        if !runs {
            return over(&self.client, &self.shower, &id);
        }
        self.followed += 1;
        let (client, shower) = (Arc::clone(&self.client), Arc::clone(&self.shower));
        let told = self.told.0.clone();
        std::thread::Builder::new()
            .name("follow".into())
            .spawn(move || {
                let attempt = follow(&client, &shower, &id);
                // Nobody waits for it when the command is over.
                let _ = told.send(Ended { id, attempt });
            })?;
        Ok(Shown::Wanted)
    }
}

/// Whether nothing more will happen to an execution or a task.
pub(super) fn is_over(one: &Value) -> bool {
    matches!(text(one, "state"), "FINISHED" | "FAILED" | "CANCELED")
}
