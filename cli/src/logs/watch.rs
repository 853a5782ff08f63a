//! Watches for executions: each attempt is printed once, while it runs or afterwards.
//!
//! Each running attempt is followed by a thread of its own, a bounded number at a time; the
//! others wait and lose nothing, since late subscribers receive all output from the start.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tenterhook_wire::{Execution, List, State, Task};

use super::follow::{Followed, Follower};
use super::print_stored;
use super::reconnect::Reconnect;
use super::show::{LineOrigin, LogPrinter, OutputState};
use crate::client::{self, Client, Received};
use crate::execution::PATH;

/// Time between two polls.
pub(super) const INTERVAL: Duration = Duration::from_millis(500);

/// Executions that are followed at once.
const FOLLOWED: usize = 16;

/// Executions per request.
const PAGE: usize = 200;

/// Most pages that are read in one poll.
const PAGES: usize = 20;

/// Executions that are remembered; the oldest are forgotten first, and not printed again.
const REMEMBERED: usize = 20_000;

/// The executions that are watched, and which attempts were printed.
pub(super) struct Watch {
    client: Arc<Client>,
    printer: Arc<LogPrinter>,
    filter: Vec<(&'static str, String)>,
    /// The latest attempt of each execution that was or is being printed.
    seen: BTreeMap<String, Seen>,
    /// Executions with this id or an older one are ignored unless they are in `seen`.
    begins_after: String,
    followed: usize,
    reconnect: Reconnect,
    finished: (mpsc::Sender<Finished>, mpsc::Receiver<Finished>),
}

#[derive(Debug, Default)]
struct Seen {
    attempt: u32,
    over: bool,
    /// A thread is following it.
    followed: bool,
    /// Where that has stopped, so that no attempt between two polls is left out.
    position: Option<String>,
}

/// A thread has finished following an attempt.
struct Finished {
    id: String,
    /// The attempt that it printed and where it has stopped, or why it failed.
    attempt: anyhow::Result<(u32, Option<String>)>,
}

impl Watch {
    pub(super) fn new(
        client: Arc<Client>,
        printer: Arc<LogPrinter>,
        filter: Vec<(&'static str, String)>,
        reconnect: Reconnect,
    ) -> Self {
        Self {
            client,
            printer,
            filter,
            seen: BTreeMap::new(),
            begins_after: String::new(),
            followed: 0,
            reconnect,
            finished: mpsc::channel(),
        }
    }

    /// Prints the newest `limit` that have finished, and everything after: of a task until
    /// it has finished, otherwise until interrupted.
    pub(super) fn run(mut self, limit: usize, task: Option<&str>) -> anyhow::Result<()> {
        let mut newest = self.page(None)?.items;
        if task.is_some() {
            newest.reverse();
        }
        // Executions beyond a full page are not printed.
        let limit = match newest.len() < PAGE {
            true => limit,
            false => limit.min(PAGE - 1),
        };
        if let Some(oldest) = newest
            .iter()
            .filter(|one| one.head.state.is_over())
            .nth(limit)
        {
            self.begins_after.clone_from(&oldest.head.id);
        }
        loop {
            match self.turn(task) {
                Ok(true) => return Ok(()),
                Ok(false) => self.reconnect.succeeded(),
                Err(error) => self.reconnect.wait(error)?,
            }
            self.wait()?;
        }
    }

    /// Polls once. Returns whether that was all.
    fn turn(&mut self, task: Option<&str>) -> anyhow::Result<bool> {
        // Checked before: what ends in between is printed by this poll.
        let ends = match task {
            Some(task) => self.task_is_over(task)?,
            None => false,
        };
        let is_closed = self.poll()? == OutputState::Closed;
        // What a thread has printed is the next poll's to judge.
        let is_all = self.followed == 0 && self.seen.values().all(|seen| seen.over);
        Ok(is_closed || (ends && is_all))
    }

    /// Waits until the next poll is due, or a thread has finished.
    fn wait(&mut self) -> anyhow::Result<()> {
        let mut finished = self.finished.1.recv_timeout(INTERVAL).ok();
        while let Some(Finished { id, attempt }) = finished {
            self.followed -= 1;
            if let Some(seen) = self.seen.get_mut(&id) {
                seen.followed = false;
                // The next one may have begun before the thread did.
                let (attempt, position) = attempt?;
                seen.attempt = seen.attempt.max(attempt);
                seen.position = position;
            }
            finished = self.finished.1.try_recv().ok();
        }
        Ok(())
    }

    fn task_is_over(&self, task: &str) -> anyhow::Result<bool> {
        let task: Task = self.client.get(&client::path("/api/v1/tasks", task), &[])?;
        Ok(task.state.is_over())
    }

    /// Polls once and prints what is new.
    fn poll(&mut self) -> anyhow::Result<OutputState> {
        let mut found = self.unfinished()?;
        // Oldest first, in the order in which they ran.
        found.sort_by(|one, other| one.head.id.cmp(&other.head.id));
        for one in &found {
            if self.show(one)? == OutputState::Closed {
                return Ok(OutputState::Closed);
            }
        }
        while self.seen.len() > REMEMBERED {
            if let Some((id, _)) = self.seen.pop_first() {
                self.begins_after = id;
            }
        }
        Ok(OutputState::Open)
    }

    /// Returns the executions that are not known to have finished, newest first.
    fn unfinished(&self) -> anyhow::Result<Vec<Received<Execution>>> {
        // Pages are read down to the oldest that may still change.
        let mut open = self.seen.iter().filter(|(_, seen)| !seen.over);
        let oldest_open = open.next().map(|(id, _)| id);
        let newest_seen = self.seen.last_key_value().map(|(id, _)| id);
        let down_to = oldest_open.or(newest_seen).unwrap_or(&self.begins_after);
        let mut found = Vec::new();
        let mut after = None;
        for _ in 0..PAGES {
            let page = self.page(after.as_deref())?;
            let all_new = page.items.iter().all(|one| one.head.id > *down_to);
            found.extend(page.items);
            after = page.next;
            if after.is_none() || !all_new {
                break;
            }
        }
        found.retain(|one| one.head.id > self.begins_after);
        Ok(found)
    }

    fn page(&self, after: Option<&str>) -> anyhow::Result<List<Received<Execution>>> {
        let query: Vec<_> = self
            .filter
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        self.client.page(PATH, &query, PAGE, after)
    }

    /// Prints an attempt that was not printed yet.
    fn show(&mut self, execution: &Execution) -> anyhow::Result<OutputState> {
        let id = execution.head.id.clone();
        let attempt = execution.latest.attempt;
        let over = execution.head.state.is_over();
        let seen = self.seen.entry(id.clone()).or_default();
        if attempt <= seen.attempt || seen.followed {
            seen.over = over && attempt <= seen.attempt;
            return Ok(OutputState::Open);
        }
        let runs = execution.head.state == State::Running;
        // There may be others between the one that was printed and this one.
        let follows = runs || seen.attempt > 0;
        if follows && self.followed == FOLLOWED {
            seen.over = false;
            return Ok(OutputState::Open);
        }
        if !follows {
            let shown = print_stored(&self.client, &self.printer, &id)?;
            (seen.attempt, seen.over) = (attempt, over);
            return Ok(shown);
        }
        (seen.over, seen.followed) = (false, true);
        let position = seen.position.take();
        self.followed += 1;
        let (client, printer) = (Arc::clone(&self.client), Arc::clone(&self.printer));
        let (origin, reconnect) = (LineOrigin::of(&execution.head), self.reconnect.clone());
        let sender = self.finished.0.clone();
        std::thread::Builder::new()
            .name("follow".into())
            .spawn(move || {
                let writer = printer.begin(origin);
                let mut follower = Follower::new(&client, writer, &id, position, reconnect);
                let attempt = match follower.next_attempt() {
                    Ok(Followed::Attempt { number, .. }) => Ok((number, follower.into_position())),
                    Ok(Followed::Over) => Ok((attempt, follower.into_position())),
                    Err(error) => Err(error),
                };
                // There is no receiver once the command has ended.
                let _ = sender.send(Finished { id, attempt });
            })?;
        Ok(OutputState::Open)
    }
}
