//! How busy the dispatcher is and was, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tenterhook_engine::{Outcome, Report};

use crate::dispatcher::Dispatcher;

/// How busy a dispatcher is, for metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Executions that are running.
    pub running: u64,
    /// Executions in memory that wait for their turn.
    pub waiting: u64,
    /// Tasks in memory.
    pub loaded_tasks: u64,
    /// Accounts that have tasks waiting in the store.
    pub accounts_with_backlog: u64,
    /// How long the lane has waited for its turn that has waited longest.
    pub oldest_waiting: Duration,
    /// Events and ad hoc calls accepted since the start, repeated ones aside.
    pub accepted: u64,
    /// Attempts ended since the start, by how: `success`, `exited`, a limit's
    /// name, `trapped`, `cancelled`, or `host` for a failure or a shortage that is ours.
    pub attempts: Vec<(&'static str, u64)>,
    /// Fuel used since the start.
    pub fuel: u64,
    /// Output bytes printed since the start, dropped ones included.
    pub output_bytes: u64,
    /// Rows of the store that could not be read since the start, by table.
    pub unreadable_rows: Vec<(&'static str, u64)>,
    /// How busy the engine is.
    pub engine: tenterhook_engine::Stats,
}

const NAMES: [&str; 9] = [
    "success",
    "exited",
    "fuel",
    "memory",
    "wall",
    "output",
    "trapped",
    "cancelled",
    "host",
];

/// Counts since the start.
#[derive(Default)]
pub(crate) struct Counters {
    accepted: AtomicU64,
    attempts: [AtomicU64; NAMES.len()],
    fuel: AtomicU64,
    output_bytes: AtomicU64,
}

impl Counters {
    pub(crate) fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self, result: &Result<Report, String>) {
        let fault = result
            .as_ref()
            .is_ok_and(|report| report.verdict_fault.is_some());
        let name = match result.as_ref().map(|report| &report.outcome) {
            Err(_) => "host",
            Ok(Outcome::Exited { status: 0 }) if fault => "exited",
            Ok(Outcome::Exited { status: 0 }) => "success",
            Ok(Outcome::Exited { .. }) => "exited",
            Ok(Outcome::Stopped { limit }) => limit.as_str(),
            Ok(Outcome::Trapped(_)) => "trapped",
            Ok(Outcome::Cancelled) => "cancelled",
        };
        if let Some(at) = NAMES.iter().position(|other| *other == name) {
            self.attempts[at].fetch_add(1, Ordering::Relaxed);
        }
        if let Ok(report) = result {
            self.fuel.fetch_add(report.usage.fuel, Ordering::Relaxed);
            self.output_bytes
                .fetch_add(report.usage.output_bytes, Ordering::Relaxed);
        }
    }
}

impl Dispatcher {
    /// Reports how busy the dispatcher is and was.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let busy = self.core.scheduler.lock().busyness();
        let counters = &self.core.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            running: busy.running as u64,
            waiting: busy.waiting as u64,
            loaded_tasks: busy.tasks as u64,
            accounts_with_backlog: busy.backlog as u64,
            oldest_waiting: busy.oldest,
            accepted: read(&counters.accepted),
            attempts: NAMES
                .into_iter()
                .zip(counters.attempts.iter().map(read))
                .collect(),
            fuel: read(&counters.fuel),
            output_bytes: read(&counters.output_bytes),
            unreadable_rows: self.core.store.unreadable_rows(),
            engine: self.core.engine.stats(),
        }
    }
}
