//! What the dispatcher counts about runs and queues, in the page of metrics.

use tenterhook_dispatch::Stats;

use super::page::Value;
use super::{Kind, Page};

impl Page {
    /// Adds the dispatcher's numbers to the page.
    pub(crate) fn write_stats(&mut self, stats: &Stats) {
        for (name, kind, help, value) in [
            (
                "executions_running",
                Kind::Gauge,
                "Executions that are running.",
                stats.running,
            ),
            (
                "executions_waiting",
                Kind::Gauge,
                "Executions in memory that wait for their turn.",
                stats.waiting,
            ),
            (
                "tasks_loaded",
                Kind::Gauge,
                "Tasks in memory.",
                stats.loaded_tasks,
            ),
            (
                "accounts_with_backlog",
                Kind::Gauge,
                "Accounts with tasks waiting in the store.",
                stats.accounts_with_backlog,
            ),
            (
                "accepted_total",
                Kind::Counter,
                "Events and ad hoc calls accepted, repeated ones aside.",
                stats.accepted,
            ),
            (
                "output_bytes_total",
                Kind::Counter,
                "Bytes printed by runs, dropped ones included.",
                stats.output_bytes,
            ),
            (
                "fuel_total",
                Kind::Counter,
                "Fuel used by runs.",
                stats.fuel,
            ),
            (
                "sandboxes",
                Kind::Gauge,
                "Runs that may be in progress at one time.",
                stats.engine.sandboxes.into(),
            ),
            (
                "sandboxes_in_use",
                Kind::Gauge,
                "Runs that are in progress.",
                stats.engine.sandboxes_in_use.into(),
            ),
            (
                "compilations_total",
                Kind::Counter,
                "Programs compiled; what came from the cache is not counted.",
                stats.engine.compilations,
            ),
        ] {
            let name = format!("tenterhook_{name}");
            self.family(name, kind, help);
            self.sample(&[], value);
        }
        let name = "tenterhook_lockdown";
        self.family(
            name,
            Kind::Gauge,
            "1 if this layer holds the threads that run guests, or the rest of the process.",
        );
        for (scope, layers) in [
            ("guests", stats.engine.guest_lockdown),
            ("process", stats.engine.process_lockdown),
        ] {
            for (layer, holds) in layers.named() {
                let labels = [("layer", layer), ("scope", scope)];
                self.sample(&labels, u64::from(holds));
            }
        }
        let name = "tenterhook_oldest_waiting_seconds";
        self.family(
            name,
            Kind::Gauge,
            "How long the lane has waited that has waited longest.",
        );
        let us = u64::try_from(stats.oldest_waiting.as_micros()).unwrap_or(u64::MAX);
        self.sample(&[], Value::of_micros(us));
        let name = "tenterhook_compile_seconds_total";
        self.family(name, Kind::Counter, "Time that compiling took.");
        self.sample(&[], Value::of_micros(stats.engine.compile_us));
        let name = "tenterhook_guest_poll_longest_seconds";
        self.family(
            name,
            Kind::Gauge,
            "Longest that a run kept its thread at a stretch, in processor time.",
        );
        let us = stats.engine.longest_poll_us;
        self.sample(&[], Value::of_micros(us));
        let name = "tenterhook_attempts_total";
        self.family(name, Kind::Counter, "Attempts ended, by what ended them.");
        for (outcome, count) in &stats.attempts {
            self.sample(&[("outcome", outcome)], *count);
        }
        let name = "tenterhook_unreadable_rows";
        self.family(
            name,
            Kind::Gauge,
            "Rows found unreadable since the start and left out, by table.",
        );
        for (table, count) in &stats.unreadable_rows {
            self.sample(&[("table", table)], *count);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn runs_are_printed_by_outcome_with_fuel_and_queue() {
        let mut page = Page::default();
        page.write_stats(&Stats {
            fuel: 7,
            waiting: 3,
            oldest_waiting: Duration::from_millis(1_500),
            attempts: vec![("exited", 2)],
            ..Stats::default()
        });
        let page = page.write();
        for line in [
            "tenterhook_fuel_total 7",
            "tenterhook_executions_waiting 3",
            "tenterhook_oldest_waiting_seconds 1.5",
            "tenterhook_attempts_total{outcome=\"exited\"} 2",
        ] {
            assert!(page.lines().any(|own| own == line), "{line}\n{page}");
        }
    }
}
