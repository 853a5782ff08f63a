//! What the dispatcher counts about runs and queues, in the page of metrics.

use tenterhook_dispatch::Stats;

use super::Text;

impl Text {
    /// Adds the dispatcher's numbers to the page.
    pub(crate) fn write_stats(&mut self, stats: &Stats) {
        for (name, kind, help, value) in [
            (
                "executions_running",
                "gauge",
                "Executions that are running.",
                stats.running,
            ),
            (
                "executions_waiting",
                "gauge",
                "Executions in memory that wait for their turn.",
                stats.waiting,
            ),
            (
                "tasks_loaded",
                "gauge",
                "Tasks in memory.",
                stats.loaded_tasks,
            ),
            (
                "accounts_with_backlog",
                "gauge",
                "Accounts with tasks waiting in the store.",
                stats.accounts_with_backlog,
            ),
            (
                "accepted_total",
                "counter",
                "Events and ad hoc calls accepted, repeated ones aside.",
                stats.accepted,
            ),
            (
                "output_bytes_total",
                "counter",
                "Bytes printed by runs, dropped ones included.",
                stats.output_bytes,
            ),
            ("fuel_total", "counter", "Fuel used by runs.", stats.fuel),
            (
                "sandboxes",
                "gauge",
                "Runs that may be in progress at one time.",
                stats.engine.sandboxes.into(),
            ),
            (
                "sandboxes_in_use",
                "gauge",
                "Runs that are in progress.",
                stats.engine.sandboxes_in_use.into(),
            ),
            (
                "compilations_total",
                "counter",
                "Programs compiled; what came from the cache is not counted.",
                stats.engine.compilations,
            ),
            (
                "scratch_mounted",
                "gauge",
                "1 if the kernel holds the quota of modules' files, 0 if the host counts them.",
                stats.engine.scratch_mounted.into(),
            ),
        ] {
            let name = format!("tenterhook_{name}");
            self.family(&name, kind, help);
            self.sample(&name, &[], value);
        }
        let name = "tenterhook_lockdown";
        self.family(
            name,
            "gauge",
            "1 if this layer holds the threads that run guests, or the rest of the process.",
        );
        for (scope, layers) in [
            ("guests", stats.engine.guest_lockdown),
            ("process", stats.engine.process_lockdown),
        ] {
            for (layer, holds) in layers.named() {
                let labels = [("layer", layer), ("scope", scope)];
                self.sample(name, &labels, u64::from(holds));
            }
        }
        let name = "tenterhook_oldest_waiting_seconds";
        self.family(
            name,
            "gauge",
            "How long the lane has waited that has waited longest.",
        );
        let us = u64::try_from(stats.oldest_waiting.as_micros()).unwrap_or(u64::MAX);
        self.sample(name, &[], super::text::seconds(us));
        let name = "tenterhook_compile_seconds_total";
        self.family(name, "counter", "Time that compiling took.");
        self.sample(name, &[], super::text::seconds(stats.engine.compile_us));
        let name = "tenterhook_guest_poll_longest_seconds";
        self.family(
            name,
            "gauge",
            "Longest that a run kept its thread at a stretch, in processor time.",
        );
        let us = stats.engine.longest_poll_us;
        self.sample(name, &[], super::text::seconds(us));
        let name = "tenterhook_attempts_total";
        self.family(name, "counter", "Attempts ended, by what ended them.");
        for (outcome, count) in &stats.attempts {
            self.sample(name, &[("outcome", outcome)], count);
        }
        let name = "tenterhook_unreadable_rows";
        self.family(
            name,
            "gauge",
            "Rows found unreadable since the start and left out, by table.",
        );
        for (table, count) in &stats.unreadable_rows {
            self.sample(name, &[("table", table)], count);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn runs_are_printed_by_outcome_with_fuel_and_queue() {
        let mut page = Text::default();
        page.write_stats(&Stats {
            fuel: 7,
            waiting: 3,
            oldest_waiting: Duration::from_millis(1_500),
            attempts: vec![("exited", 2)],
            ..Stats::default()
        });
        let page = page.to_string();
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
