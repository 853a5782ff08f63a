//! What is counted about webhooks, in the page of metrics.

use tenterhook_delivery::Counts;

use super::Text;

impl Text {
    /// Adds what was counted about webhooks to the page. `waiting` is missing if the
    /// store could not tell it.
    pub(crate) fn write_webhooks(&mut self, counts: Counts, waiting: Option<u64>) {
        let name = "tenterhook_webhook_letters_total";
        self.family(
            name,
            "counter",
            "Letters to webhooks that were delivered or given up.",
        );
        for (fate, value) in [("delivered", counts.delivered), ("failed", counts.failed)] {
            self.sample(name, &[("fate", fate)], value);
        }
        let name = "tenterhook_webhook_retries_total";
        self.family(
            name,
            "counter",
            "Attempts to deliver that failed and are to be followed by another.",
        );
        self.sample(name, &[], counts.retried);
        if let Some(waiting) = waiting {
            let name = "tenterhook_webhook_letters_waiting";
            self.family(name, "gauge", "Letters to webhooks that wait.");
            self.sample(name, &[], waiting);
        }
    }
}
