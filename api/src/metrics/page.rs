//! A page of metrics: families of samples with labels, in the OpenMetrics text format.
//!
//! The numbers are read when the page is asked for, from what counts them; none is kept
//! here, and the format is the library's.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{self, DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

/// The media type of a page.
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A page that is being put together.
#[derive(Debug, Default)]
pub(crate) struct Page(Vec<Family>);

/// What the samples of a family are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts what fell into buckets.
    Histogram,
}

/// A sample's value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// A count, or an amount in whole units.
    Count(u64),
    /// A time in seconds.
    Seconds(f64),
    /// What a histogram has counted.
    Histogram {
        /// The sum of all that was counted.
        sum: f64,
        /// Upper bounds and what fell into each bucket alone; the last has no bound.
        buckets: Vec<(f64, u64)>,
    },
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl Value {
    /// Microseconds as seconds.
    pub(crate) fn of_micros(us: u64) -> Self {
        Self::Seconds(seconds(us))
    }
}

#[derive(Debug)]
struct Family {
    name: String,
    kind: Kind,
    help: &'static str,
    samples: Vec<(Vec<(&'static str, String)>, Value)>,
}

impl Page {
    /// Begins a family of samples.
    pub(crate) fn family(&mut self, name: impl Into<String>, kind: Kind, help: &'static str) {
        self.0.push(Family {
            name: name.into(),
            kind,
            help,
            samples: Vec::new(),
        });
    }

    /// Adds a sample to the family that was begun last.
    pub(crate) fn sample(&mut self, labels: &[(&'static str, &str)], value: impl Into<Value>) {
        let family = self.0.last_mut().expect("a family was begun");
        let labels = labels
            .iter()
            .map(|(name, text)| (*name, (*text).to_owned()));
        family.samples.push((labels.collect(), value.into()));
    }

    /// Writes the page.
    pub(crate) fn write(self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        encoding::text::encode(&mut text, &registry).expect("a string takes any text");
        text
    }
}

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for family in &self.0 {
            let (name, kind) = match family.kind {
                // The format adds the suffix.
                Kind::Counter => (
                    family.name.strip_suffix("_total").unwrap_or(&family.name),
                    MetricType::Counter,
                ),
                Kind::Gauge => (&*family.name, MetricType::Gauge),
                Kind::Histogram => (&*family.name, MetricType::Histogram),
            };
            let mut metric = encoder.encode_descriptor(name, family.help, None, kind)?;
            for (labels, value) in &family.samples {
                write(metric.encode_family(labels)?, family.kind, value)?;
            }
        }
        Ok(())
    }
}

fn write(mut encoder: MetricEncoder<'_>, kind: Kind, value: &Value) -> Result<(), fmt::Error> {
    match (kind, value) {
        (Kind::Counter, Value::Count(count)) => {
            encoder.encode_counter::<NoLabelSet, _, u64>(count, None)
        }
        (Kind::Counter, Value::Seconds(seconds)) => {
            encoder.encode_counter::<NoLabelSet, _, u64>(seconds, None)
        }
        (_, Value::Count(count)) => {
            encoder.encode_gauge(&i64::try_from(*count).unwrap_or(i64::MAX))
        }
        (_, Value::Seconds(seconds)) => encoder.encode_gauge(seconds),
        (_, Value::Histogram { sum, buckets }) => {
            let count = buckets.iter().map(|(_, count)| count).sum();
            encoder.encode_histogram::<NoLabelSet>(*sum, count, buckets, None)
        }
    }
}

/// Microseconds as seconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "centuries of microseconds have no place in 53 bits, nor a reader"
)]
pub(crate) fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_follow_their_family_and_labels_are_escaped() {
        let mut page = Page::default();
        page.family("requests_total", Kind::Counter, "Requests");
        page.sample(&[("face", "a\"b\\c\nd")], 3);
        page.family("waiting_seconds", Kind::Gauge, "Waiting");
        page.sample(&[], Value::of_micros(1_500_000));
        assert_eq!(
            page.write(),
            "# HELP requests Requests\n# TYPE requests counter\n\
             requests_total{face=\"a\\\"b\\\\c\\nd\"} 3\n\
             # HELP waiting_seconds Waiting\n# TYPE waiting_seconds gauge\nwaiting_seconds 1.5\n# EOF\n"
        );
    }
}
