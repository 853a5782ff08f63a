//! The metrics of webhooks.

use tenterhook_delivery::Counts;

use super::Text;

impl Text {
    /// Writes the metrics of webhooks. `waiting` is `None` if the store could not count.
    pub(crate) fn write_webhooks(&mut self, counts: Counts, waiting: Option<u64>) {
        let name = "tenterhook_webhook_deliveries_total";
        self.family(
            name,
            "counter",
            "Deliveries to webhooks that succeeded or failed.",
        );
        for (status, value) in [("delivered", counts.delivered), ("failed", counts.failed)] {
            self.sample(name, &[("status", status)], value);
        }
        let name = "tenterhook_webhook_retries_total";
        self.family(
            name,
            "counter",
            "Failed attempts to deliver that are followed by another.",
        );
        self.sample(name, &[], counts.retried);
        if let Some(waiting) = waiting {
            let name = "tenterhook_webhook_deliveries_waiting";
            self.family(name, "gauge", "Deliveries to webhooks that wait.");
            self.sample(name, &[], waiting);
        }
    }
}
