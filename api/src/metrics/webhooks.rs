//! The metrics of webhooks.

use tenterhook_delivery::Counts;

use super::{Kind, Page};

impl Page {
    /// Writes the metrics of webhooks. `waiting` is `None` if the store could not count.
    pub(crate) fn write_webhooks(&mut self, counts: Counts, waiting: Option<u64>) {
        let name = "tenterhook_webhook_deliveries_total";
        self.family(
            name,
            Kind::Counter,
            "Deliveries to webhooks that succeeded or failed.",
        );
        for (status, value) in [("delivered", counts.delivered), ("failed", counts.failed)] {
            self.sample(&[("status", status)], value);
        }
        let name = "tenterhook_webhook_retries_total";
        self.family(
            name,
            Kind::Counter,
            "Failed attempts to deliver that are followed by another.",
        );
        self.sample(&[], counts.retried);
        if let Some(waiting) = waiting {
            let name = "tenterhook_webhook_deliveries_waiting";
            self.family(name, Kind::Gauge, "Deliveries to webhooks that wait.");
            self.sample(&[], waiting);
        }
    }
}
